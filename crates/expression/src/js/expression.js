// What only expressions get: n8n's rules about names, on top of the realm. Runs after everything else is installed.
(function (h, base) {
  'use strict';
  const G = globalThis;
  const { Object, Proxy, Set, String, Error } = G;
  const { setPrototypeOf, hasOwn } = Object;

  const refused = (name) => base.fail('Cannot access "' + name + '" due to security concerns');
  let forbidden;
  const isForbidden = (name) => (forbidden ??= new Set(FORBIDDEN_NAMES)).has(name);
  let absent;
  const isAbsent = (name) => (absent ??= new Set(ABSENT_NAMES)).has(name);

  // Functions that could change what others rely on, and ways to code. (Contexts cannot compile code at all.)
  for (const name of ['defineProperty', 'defineProperties', 'setPrototypeOf', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'getOwnPropertyDescriptors']) {
    delete Object[name];
  }
  for (const name of ['prepareStackTrace', 'captureStackTrace', 'stackTraceLimit']) delete Error[name];
  for (const name of ['__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', '__proto__']) {
    delete Object.prototype[name];
  }
  delete G.Function.prototype.constructor;
  for (const name of HIDDEN_NAMES) delete G[name];

  // Any other name is undefined rather than an error; what an expression assigns to one is gone with it.
  let scratch;
  const others = new Proxy({}, {
    has: () => true,
    get(_, name) {
      if (typeof name !== 'string') return undefined;
      if (scratch !== undefined && hasOwn(scratch, name)) return scratch[name];
      if (isAbsent(name)) return {};
      if (isForbidden(name)) return refused(name);
      return h.extra(name);
    },
    set(_, name, value) { (scratch ??= {})[name] = value; return true; },
    defineProperty: () => false,
    setPrototypeOf: () => false,
    getPrototypeOf: () => null,
  });
  setPrototypeOf(base.names, others);
  setPrototypeOf(G, {
    __proto__: base.names,
    // Keys that are computed while the expression runs.
    get __key() { return key; },
    // A call of an extension method at the end of an optional chain.
    get __chain() { return chain; },
    get process() { return base.rare().process(); },
  });
  const key = (key) => {
    if (typeof key === 'number' || typeof key === 'symbol') return key;
    const name = String(key);
    return isForbidden(name) ? refused(name) : name;
  };
  const chain = (value, name, given) => (value === null || value === undefined ? undefined : base.library('extend')(value, name, given()));
  return { forget() { base.forget(); scratch = undefined; } };
})
