//! JavaScript modules as QuickJS bytecode: compiled once, loaded into any context, also one that cannot compile source.

use rquickjs::{CaughtError, Context, Ctx, Exception, Module, Runtime, WriteOptions, module::Evaluated};

/// A compiled module. Only [`Code::compile`] makes one, so its bytes are always the engine's own.
#[derive(Debug)]
pub struct Code(Vec<u8>);

impl Code {
    /// Compiles a module, without the places that its errors would name. The error is the compiler's message and place.
    pub fn compile(name: &str, source: &str) -> Result<Code, String> {
        let context = Runtime::new().and_then(|runtime| Context::full(&runtime)).map_err(|error| error.to_string())?;
        context.with(|ctx| {
            Module::declare(ctx.clone(), name, source)
                .and_then(|module| {
                    module.write(WriteOptions { strip_source: true, strip_debug: true, ..WriteOptions::default() })
                })
                .map(Code)
                .map_err(|error| CaughtError::from_error(&ctx, error).to_string())
        })
    }

    /// Loads the module into a context and runs its body, which must not await.
    pub fn run<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Module<'js, Evaluated>> {
        #[expect(unsafe_code, reason = "the engine does not check bytecode; these bytes are its own, see `Code`")]
        let module = unsafe { Module::load(ctx.clone(), &self.0)? };
        let (module, done) = module.eval()?;
        done.result::<()>().unwrap_or_else(|| Err(Exception::throw_internal(ctx, "the module awaits")))?;
        Ok(module)
    }
}
