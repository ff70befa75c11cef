//! The known ways out of JavaScript sandboxes, in expressions and in Code nodes alike: none makes code from text, none
//! reaches the host, and what one of them changes is gone with the next evaluation.

use millrace_model::{ExecutionError, Object, Value};

use super::World;
use crate::{Script, ScriptHost, ScriptKind};

/// Each gives 42, or the name of something of the host, where it finds a way out.
const WAYS: &[&str] = &[
    // Constructors of functions, by every road to them.
    "''.constructor.constructor('return 6*7')()",
    "[]['constructor']['constructor']('return 6*7')()",
    "(() => 1)[['constructor']]('return 6*7')()",
    "(() => 1)[{ toString: () => 'constructor' }]('return 6*7')()",
    "(() => 1)[{ toString() { return this.n++ ? 'constructor' : 'name' }, n: 0 }]('return 6*7')()",
    "(() => 1)[{ [Symbol.toPrimitive]: () => 'constructor' }]('return 6*7')()",
    "(() => 1)[`${'con'}structor`]('return 6*7')()",
    "(() => 1)['con\\u0073tructor']('return 6*7')()",
    "(() => 1)[String.fromCharCode(99,111,110,115,116,114,117,99,116,111,114)]('return 6*7')()",
    "(() => 1)['rotcurtsnoc'.split('').reverse().join('')]('return 6*7')()",
    "(function* () {}).constructor('return 6*7')().next().value",
    "(async () => 1).constructor('return 6*7')()",
    "(async function* () {}).constructor('yield 6*7')()",
    "(class { static f() {} }).f.constructor('return 6*7')()",
    "(class extends (() => 1).constructor {})",
    "(class { static { this.x = this.constructor('return 6*7')() } }).x",
    "(new (class { g() { return new.target } f() { return super.constructor('return 6*7') } })()).f()",
    "({ f() { return super.constructor.constructor('return 6*7')() } }).f()",
    "(() => { const { constructor: { constructor: make } } = ''; return make('return 6*7')() })()",
    "(({ constructor: make } = () => 1) => make('return 6*7')())()",
    "(() => { let make; ({ ['constructor']: make } = () => 1); return make('return 6*7')() })()",
    "(() => { for (const { constructor: make } of [() => 1]) return make('return 6*7')() })()",
    "(() => { try { null.x } catch ({ constructor: { constructor: make } }) { return make('return 6*7')() } })()",
    "(() => { try { (function f() { f() })() } catch (e) { return e.constructor.constructor('return 6*7')() } })()",
    "(function () { return arguments.callee.constructor('return 6*7')() })()",
    "(function () { return arguments.callee.caller })().constructor('return 6*7')()",
    // Arrow functions and plain calls: whose `this`?
    "(() => this)().constructor.constructor('return 6*7')()",
    "(() => this.process)().exit",
    "(function () { return this })().process.mainModule",
    "(() => (() => (() => this)())())().eval('6*7')",
    "[1].map(function () { return this })[0].Function('return 6*7')()",
    "[1].map(function () { return this.constructor('return 6*7')() }, () => 1)[0]",
    "JSON.parse('[1]', function () { return this.constructor.constructor('return 6*7')() })",
    "'x'.replace('x', function () { return this.eval('6*7') })",
    // Tagged templates call what they are given.
    "(() => 1).constructor`return 6*7```",
    "Function`return 6*7```",
    "eval`6*7`",
    "[].map.constructor`x${'return 6*7'}```",
    "String.raw.constructor`return 6*7```",
    "setTimeout`6*7`",
    // Through calls that call for others.
    "[].map.call.call((() => 1).constructor, null, 'return 6*7')()",
    "[].map.bind((() => 1).constructor)('return 6*7')",
    "['return 6*7'].map((() => 1).constructor)[0]()",
    "['return 6*7'].map(Function)[0]()",
    "Array.from(['return 6*7'], Function)[0]()",
    "'return 6*7'.replace(/.*/, Function)",
    "Promise.resolve('return 6*7').then(Function)",
    "[1].sort.constructor('return 6*7')()",
    "({ valueOf: (() => 1).constructor }) + 1",
    // Reflection.
    "Reflect.get(() => 1, 'constructor')('return 6*7')()",
    "Reflect.construct((() => 1).constructor, ['return 6*7'])()",
    "Object.getOwnPropertyDescriptor(Object.getPrototypeOf(() => 1), 'constructor').value('return 6*7')()",
    "Object.getOwnPropertyDescriptors(Object.getPrototypeOf(() => 1)).constructor.value('return 6*7')()",
    "Object.entries(Object.getOwnPropertyDescriptors((() => 1).__proto__)).find(x => x[0] == 'constructor')[1].value('return 6*7')()",
    "(() => 1).__lookupGetter__('__proto__').call(() => 1).constructor('return 6*7')()",
    "({}).__lookupGetter__('__proto__').call(() => 1)",
    "new Proxy(() => 1, { get: (t, k) => t[k] }).constructor('return 6*7')()",
    "new Proxy({}, { get: (t, k, r) => r })['x'].constructor.constructor('return 6*7')()",
    "new Proxy(Function, { apply: (t, s, a) => t(...a) })('return 6*7')()",
    "(() => { with ({ c: () => 1 }) { return c.constructor('return 6*7')() } })()",
    // Errors and their stacks.
    "(() => { Error.prepareStackTrace = (e, frames) => frames; return new Error().stack[0].getThis().process })()",
    "(() => { Error.prepareStackTrace = (e, frames) => frames.map(f => f.getFunction()); return new Error().stack[0].constructor('return 6*7')() })()",
    "(() => { Error.stackTraceLimit = { valueOf() { return 6*7 } }; return new Error('x').constructor.constructor('return 6*7')() })()",
    // Text as code, by name.
    "eval('6*7')",
    "(0, eval)('6*7')",
    "globalThis.eval('6*7')",
    "globalThis['ev' + 'al']('6*7')",
    "[eval][0]('6*7')",
    "eval?.('6*7')",
    "new Function('return 6*7')()",
    "Function.prototype.constructor('return 6*7')()",
    "new (Object.getPrototypeOf(function* () {}).constructor)('yield 6*7')().next().value",
    "setTimeout('6*7')",
    "setInterval('6*7', 1)",
    "setImmediate('6*7')",
    // Modules and the host.
    "import('fs')",
    "import('std').then(std => std.exit(1))",
    "require('child_process').execSync('echo 42').toString()",
    "require('os').hostname()",
    "process.mainModule.require('fs').readFileSync('/etc/hostname').toString()",
    "process.binding('fs')",
    "process.getBuiltinModule('fs').readFileSync('/etc/hostname').toString()",
    "globalThis.process.dlopen",
    "new WebAssembly.Module(new Uint8Array(8))",
    "new SharedArrayBuffer(8).constructor.constructor('return 6*7')()",
    "new Worker('data:,6*7')",
    "fetch('http://127.0.0.1/')",
    "new XMLHttpRequest()",
    "std.loadFile('/etc/hostname')",
    "os.exec(['true'])",
    "scriptArgs",
    // Values of the run and of the extensions.
    "$json.constructor.constructor('return 6*7')()",
    "$json.n.constructor.constructor('return 6*7')()",
    "$input.constructor.constructor('return 6*7')()",
    "$input.first.constructor('return 6*7')()",
    "$now.constructor.constructor('return 6*7')()",
    "DateTime.now.constructor('return 6*7')()",
    "DateTime.fromISO('2024-01-01').plus.constructor('return 6*7')()",
    "$jmespath.constructor('return 6*7')()",
    "$if.constructor('return 6*7')()",
    "$evaluateExpression.constructor('return 6*7')()",
    "$evaluateExpression('{{ (() => 1).constructor(\"return 6*7\")() }}')",
    "'{{ (() => 1).constructor(\"return 6*7\")() }}'.toString.constructor('return 6*7')()",
    "Buffer.from.constructor('return 6*7')()",
    "console.log.constructor('return 6*7')()",
    "this.getMode.constructor('return 6*7')()",
];

/// Each changes something that another evaluation would notice, if it could.
const CHANGES: &[&str] = &[
    "({}).__proto__.polluted = 1",
    "Object.prototype.polluted = 1",
    "Object.assign(Object.prototype, { polluted: 1 })",
    "Object.defineProperty(Object.prototype, 'polluted', { value: 1 })",
    "Object.defineProperties(Object.prototype, { polluted: { value: 1 } })",
    "Object.setPrototypeOf({}, { polluted: 1 })",
    "Reflect.set(Object.prototype, 'polluted', 1)",
    "Reflect.defineProperty(Object.prototype, 'polluted', { value: 1 })",
    "Object.prototype.__defineGetter__('polluted', () => 1)",
    "Array.prototype.map = () => 'polluted'",
    "Array.prototype[0] = 'polluted'",
    "String.prototype.toString = () => 'polluted'",
    "Number.prototype.toFixed = () => 'polluted'",
    "JSON.stringify = () => 'polluted'",
    "Object.keys = () => ['polluted']",
    "(Math.max = () => 'polluted', { ...Math })",
    "Object.assign(Math, { max: () => 'polluted' })",
    "Object.assign(globalThis, { polluted: 1 })",
    "globalThis.polluted = 1",
    "(function () { this.polluted = 1 })()",
    "(() => { polluted = 1 })()",
    "DateTime.now = () => 'polluted'",
    "$json.__proto__.polluted = 1",
    "($json.n = 'polluted')",
    "JSON.parse('{\"__proto__\":{\"polluted\":1}}')",
    "Object.assign({}, JSON.parse('{\"__proto__\":{\"polluted\":1}}'))",
    "Object.fromEntries([['__proto__', { polluted: 1 }]])",
    "[].concat.call.polluted = 1",
    "Symbol.prototype.polluted = 1",
    "(class { static { Object.prototype.polluted = 1 } })",
];

/// What must be as it was.
const UNCHANGED: &str = "[({}).polluted, [].polluted, typeof polluted, [1].map(x => x + 1)[0], [][0], 'a'.toString(), \
     (1).toFixed(1), JSON.stringify([1]), Object.keys({ k: 1 })[0], Math.max(1, 2), typeof DateTime.now, $input.first().json.n, \
     (() => 1).polluted]";
const AS_BEFORE: &str = r#"[null,null,"undefined",2,null,"a","1.0","[1]","k",2,"function",7,null]"#;

struct NoHost;

impl ScriptHost for NoHost {
    fn call(&mut self, name: &str, _: Value) -> Result<Value, ExecutionError> {
        panic!("a script has called {name}")
    }

    fn static_data(&self) -> Object {
        Object::new()
    }
}

fn scripted(world: &mut World, code: &str) -> Result<Value, ExecutionError> {
    let script = Script::new(code, ScriptKind::CodeAllItems);
    world.with(|sandbox, scope| sandbox.run_script(&script, scope, &mut NoHost)).map(|outcome| outcome.value)
}

fn world() -> World {
    World::of_items(r#"[{"json":{"n":7}}]"#)
}

/// Did it make code of its text, or come by something of the machine?
fn is_out(value: &Value) -> bool {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = host.trim();
    let text = value.to_json();
    text.contains("42") || (host.len() > 3 && text.contains(host))
}

#[test]
fn no_way_leads_out_of_an_expression() {
    let mut world = world();
    for way in WAYS {
        if let Ok(value) = world.evaluate(&format!("={{{{ {way} }}}}")) {
            assert!(!is_out(&value), "{way}: {}", value.to_json());
        }
        world.gives(&[("={{ $json.n }}", "7")]);
    }
}

#[test]
fn no_way_leads_out_of_a_script() {
    for way in WAYS {
        let mut world = world();
        for code in [format!("return ({way})"), format!("return await ({way})"), format!("const x = {way}; return [x]")]
        {
            if let Ok(value) = scripted(&mut world, &code) {
                assert!(!is_out(&value), "{code}: {}", value.to_json());
            }
        }
    }
}

/// Expressions and scripts of one run share what they find; nothing they do to it reaches another run.
#[test]
fn what_one_run_changes_the_next_does_not_see() {
    for change in CHANGES {
        let mut world = world();
        let _ = world.evaluate(&format!("={{{{ {change} }}}}"));
        let _ = scripted(&mut world, &format!("{change}; return []"));
        let mut next = self::world();
        next.gives(&[(&format!("={{{{ {UNCHANGED} }}}}"), AS_BEFORE)]);
        let seen = scripted(&mut next, &format!("return {UNCHANGED}")).unwrap();
        assert_eq!(seen.to_json(), AS_BEFORE, "{change}");
    }
}

/// What came from outside is a value, whatever it looks like.
#[test]
fn data_is_not_evaluated_again() {
    for text in
        ["{{ 6*7 }}", "={{ 6*7 }}", "=6*7", "${6*7}", "`${6*7}`", "{{ $json.text }}", "={{ (() => 1).constructor }}"]
    {
        let item = Object::from([("json", Value::from(Object::from([("text", Value::from(text))])))]);
        let mut world = World::of_items(&Value::array([item.into()]).to_json());
        let expected = Value::from(text).to_json();
        world.gives(&[("={{ $json.text }}", expected.as_str()), ("={{ `${$json.text}` }}", expected.as_str())]);
        let around = Value::from(format!("<{text}>")).to_json();
        world.gives(&[("=<{{ $json.text }}>", around.as_str())]);
    }
}
