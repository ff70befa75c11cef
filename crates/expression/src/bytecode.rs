//! Scripts compiled to bytecode in a compiler of their own, so that the contexts that run tenants' code need no compiler
//! (`eval` and `Function` do not work in them at all). Bytecode never leaves the process and is never read from outside.
#![expect(
    unsafe_code,
    reason = "the safe wrapper hands over compiled modules only, and those are strict; n8n's scripts are not"
)]

use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rquickjs::{Context, Ctx, Exception, Runtime, Value, qjs};

/// A compiled script. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Bytecode {
    bytes: Arc<[u8]>,
    locale_sensitive: bool,
}

impl Bytecode {
    /// Does the source mention a built-in method whose result depends on a language (`toLocaleString`, `localeCompare`)?
    pub(crate) fn is_locale_sensitive(&self) -> bool {
        self.locale_sensitive
    }
}

/// Why a script did not compile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyntaxProblem {
    pub(crate) message: String,
    /// From 1.
    pub(crate) line: u32,
    /// From 1.
    pub(crate) column: u32,
}

/// Number of scripts after which the compiler's runtime is made anew, as its table of names only grows.
const SCRIPTS_PER_COMPILER: usize = 2_000;
/// Memory the compiler may use for one script, in bytes: a 10 MB expression must not take the process with it.
const COMPILER_MEMORY: usize = 256 << 20;
const COMPILER_STACK: usize = 512 << 10;

struct Compiler {
    context: Context,
    _runtime: Runtime,
    scripts: usize,
}

static COMPILER: LazyLock<Mutex<Option<Compiler>>> = LazyLock::new(|| Mutex::new(None));

/// Compiles a sloppy-mode script. `name` is the file name in stack traces.
pub(crate) fn compile(name: &str, source: &str) -> Result<Bytecode, SyntaxProblem> {
    compile_as(name, source, qjs::JS_WRITE_OBJ_STRIP_SOURCE)
}

/// The same without line numbers, which makes it smaller and quicker to load.
pub(crate) fn compile_bare(name: &str, source: &str) -> Result<Bytecode, SyntaxProblem> {
    compile_as(name, source, qjs::JS_WRITE_OBJ_STRIP_SOURCE | qjs::JS_WRITE_OBJ_STRIP_DEBUG)
}

fn compile_as(name: &str, source: &str, stripped: u32) -> Result<Bytecode, SyntaxProblem> {
    let mut slot = COMPILER.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.as_ref().is_none_or(|compiler| compiler.scripts >= SCRIPTS_PER_COMPILER) {
        *slot = Some(new_compiler()?);
    }
    let Some(compiler) = slot.as_mut() else {
        return Err(problem("the compiler could not be started"));
    };
    compiler.scripts += 1;
    let result = compiler.context.with(|ctx| {
        ctx.run_gc();
        write(&ctx, name, source, stripped)
    });
    if matches!(&result, Err(problem) if problem.message.contains("out of memory")) {
        *slot = None;
    }
    result
}

/// Runs a compiled script in a context and gives its completion value.
pub(crate) fn run<'js>(ctx: &Ctx<'js>, script: &Bytecode) -> rquickjs::Result<Value<'js>> {
    let (raw, bytes) = (ctx.as_raw().as_ptr(), &script.bytes);
    let flags = flag(qjs::JS_READ_OBJ_BYTECODE);
    // SAFETY: the bytes were written by `write` in this process and are unchanged; the context is alive and locked by
    // the caller; `JS_EvalFunction` takes ownership of the function; the result is owned by the `Value`.
    unsafe {
        let function = qjs::JS_ReadObject(raw, bytes.as_ptr(), bytes.len().try_into().unwrap_or(0), flags);
        if qjs::JS_IsException(function) {
            return Err(rquickjs::Error::Exception);
        }
        let value = qjs::JS_EvalFunction(raw, function);
        if qjs::JS_IsException(value) {
            return Err(rquickjs::Error::Exception);
        }
        Ok(Value::from_raw(ctx.clone(), value))
    }
}

fn new_compiler() -> Result<Compiler, SyntaxProblem> {
    let failed = |_| problem("the compiler could not be started");
    let runtime = Runtime::new().map_err(failed)?;
    runtime.set_memory_limit(COMPILER_MEMORY);
    runtime.set_max_stack_size(COMPILER_STACK);
    let context = Context::full(&runtime).map_err(failed)?;
    Ok(Compiler { context, _runtime: runtime, scripts: 0 })
}

fn write(ctx: &Ctx<'_>, name: &str, source: &str, stripped: u32) -> Result<Bytecode, SyntaxProblem> {
    let (length, locale_sensitive) = (source.len(), source.contains("ocale"));
    let (Ok(source), Ok(name)) = (CString::new(source), CString::new(name)) else {
        return Err(problem("a script cannot contain the character U+0000"));
    };
    let raw = ctx.as_raw().as_ptr();
    let compile_only = flag(qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY);
    let written = flag(qjs::JS_WRITE_OBJ_BYTECODE | stripped);
    // SAFETY: the context is alive and locked; both strings end in NUL and outlive the call; the compiled function is
    // wrapped in a `Value`, which frees it; the buffer is copied and then freed with the allocator it came from.
    unsafe {
        let compiled = qjs::JS_Eval(raw, source.as_ptr(), length.try_into().unwrap_or(0), name.as_ptr(), compile_only);
        if qjs::JS_IsException(compiled) {
            return Err(syntax_problem(ctx));
        }
        let function = Value::from_raw(ctx.clone(), compiled);
        let mut size = 0;
        let Some(buffer) = NonNull::new(qjs::JS_WriteObject(raw, &raw mut size, function.as_raw(), written)) else {
            return Err(syntax_problem(ctx));
        };
        let bytes = std::slice::from_raw_parts(buffer.as_ptr(), size.try_into().unwrap_or(0));
        let bytecode = Bytecode { bytes: bytes.into(), locale_sensitive };
        qjs::js_free(raw, buffer.as_ptr().cast());
        Ok(bytecode)
    }
}

fn syntax_problem(ctx: &Ctx<'_>) -> SyntaxProblem {
    let thrown = ctx.catch();
    let Some(exception) = thrown.into_object().and_then(Exception::from_object) else {
        return problem("out of memory");
    };
    let stack = exception.stack().unwrap_or_default();
    let (line, column) = last_position(stack.lines().next().unwrap_or_default()).unwrap_or((1, 1));
    SyntaxProblem { message: exception.message().unwrap_or_default(), line, column }
}

fn problem(message: &str) -> SyntaxProblem {
    SyntaxProblem { message: message.to_owned(), line: 1, column: 1 }
}

/// Line and column at the end of a stack line such as `    at f (code:3:15)` or `    at code:3:15`.
pub(crate) fn last_position(line: &str) -> Option<(u32, u32)> {
    let line = line.trim_end().trim_end_matches(')');
    let (rest, column) = line.rsplit_once(':')?;
    let (_, number) = rest.rsplit_once(':')?;
    Some((number.parse().ok()?, column.parse().ok()?))
}

fn flag(bits: u32) -> i32 {
    i32::try_from(bits).unwrap_or(0)
}
