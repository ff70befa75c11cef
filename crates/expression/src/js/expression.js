// What only expressions get: n8n's rules about names, on top of the realm. Runs after everything else is installed.
(function (h, base) {
  'use strict';
  const G = globalThis;
  const { Object, Proxy, Set, String, Symbol, Error } = G;
  const { defineProperty, getPrototypeOf, setPrototypeOf, hasOwn } = Object;
  const { fail } = base;

  const refused = (name) => fail('Cannot access "' + name + '" due to security concerns');
  const forbidden = new Set(FORBIDDEN_NAMES);
  const hidden = (name, value) => defineProperty(G, name, { value, enumerable: false, configurable: false, writable: false });
  // Keys that are computed while the expression runs.
  hidden('__key', (key) => {
    if (typeof key === 'number' || typeof key === 'symbol') return key;
    const name = String(key);
    if (forbidden.has(name)) refused(name);
    return name;
  });
  // A call of an extension method at the end of an optional chain.
  hidden('__chain', (value, name, given) => (value === null || value === undefined ? undefined : G.extend(value, name, given())));

  // Functions that could change what others rely on.
  for (const name of ['defineProperty', 'defineProperties', 'setPrototypeOf', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'getOwnPropertyDescriptors']) {
    defineProperty(Object, name, { get: () => refused(name), configurable: false });
  }
  for (const name of ['prepareStackTrace', 'captureStackTrace', 'stackTraceLimit']) delete Error[name];
  for (const name of ['__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', '__proto__']) {
    delete Object.prototype[name];
  }
  // Nothing leads from a value back to what made it.
  const unmade = { value: undefined, enumerable: false, configurable: false, writable: false };
  const prototypes = [getPrototypeOf(function* () {}), getPrototypeOf(async function () {}), getPrototypeOf(async function* () {})];
  for (const name of BUILT_IN_CLASSES) prototypes.push(G[name]?.prototype);
  for (const prototype of prototypes) {
    if (prototype !== undefined && hasOwn(prototype, 'constructor')) defineProperty(prototype, 'constructor', unmade);
  }

  // Names that stand for nothing here, as in n8n: an empty object.
  const absent = new Set(ABSENT_NAMES);
  const nothing = () => ({});
  for (const name of ['globalThis', 'eval', 'Function', 'Promise', 'Reflect', 'Proxy', 'escape', 'unescape', 'performance', 'DOMException', 'queueMicrotask', 'WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'Iterator']) {
    if (hasOwn(G, name)) defineProperty(G, name, { get: nothing, set: undefined, enumerable: false, configurable: false });
  }
  base.define({ process: () => ({ ...PROCESS, env: h.env() }) });

  // Any other name is undefined rather than an error; what an expression assigns to one is gone with it.
  let scratch;
  setPrototypeOf(G, new Proxy({}, {
    has: () => true,
    get(_, name) {
      if (typeof name !== 'string') return undefined;
      if (scratch !== undefined && hasOwn(scratch, name)) return scratch[name];
      if (absent.has(name)) return {};
      if (forbidden.has(name)) return refused(name);
      return h.extra(name);
    },
    set(_, name, value) { (scratch ??= {})[name] = value; return true; },
    defineProperty: () => false,
    setPrototypeOf: () => false,
    getPrototypeOf: () => null,
  }));
  return { forget() { base.forget(); scratch = undefined; } };
})
