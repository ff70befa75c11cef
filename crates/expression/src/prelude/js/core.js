// What every context gets at once: names of the expression library, each loaded when it is first touched. `natives` holds
// the built-ins that the context's code may not find any more: Object's functions, Reflect, Proxy, Function.
export default function install(load, global, natives) {
  const own = capture(natives);
  const parts = { __proto__: null };
  const part = (name) => (parts[name] ??= load(name)(part, load, own));
  const { defineProperty } = own.Object;

  const define = (name, value) =>
    defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });
  const lazy = (name, make) =>
    defineProperty(global, name, {
      get() {
        const value = make();
        define(name, value);
        return value;
      },
      set: (value) => define(name, value),
      configurable: true,
      enumerable: false,
    });
  const live = (name, get) =>
    defineProperty(global, name, { get, set: (value) => define(name, value), configurable: true, enumerable: false });

  for (const name of ['DateTime', 'Duration', 'Interval']) lazy(name, () => part('dates')[name]);
  live('$now', () => part('dates').now());
  live('$today', () => part('dates').today());
  for (const name of ['extend', 'extendOptional', 'ExpressionError', 'ExpressionExtensionError'])
    lazy(name, () => part('extend')[name]);
  const functions = ['min', 'max', 'average', 'numberList', 'zip', 'not'];
  const dollars = ['$min', '$max', '$average', '$not', '$if', '$ifEmpty', '$jmespath', '$jmesPath'];
  for (const name of [...functions, ...dollars]) lazy(name, () => part('globals')[name]);

  lazy('Intl', () => part('intl').Intl);
  localize(global, own, part);

  let zone = 'UTC';
  let clock;
  parts.zone = () => zone;
  define('__setZone', (name) => {
    zone = String(name);
    parts.dates?.setZone(zone);
  });
  define('__setNow', (now) => {
    if (!clock) wrapDate(global, own, () => clock());
    clock = now;
  });
}

// Methods whose text depends on a locale.
function localize({ Date, Number, BigInt, String }, { Object }, part) {
  const method = (prototype, name, call) =>
    Object.defineProperty(prototype, name, { value: call, writable: true, configurable: true, enumerable: false });
  const intl = () => part('intl');
  const number = function toLocaleString(locales, options) {
    return intl().numberToLocaleString(this.valueOf(), locales, options);
  };
  method(Number.prototype, 'toLocaleString', number);
  if (BigInt) method(BigInt.prototype, 'toLocaleString', number);
  for (const name of ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']) {
    const call = `dateT${name.slice(1)}`;
    method(Date.prototype, name, function (locales, options) {
      return intl()[call](this, locales, options);
    });
  }
  method(String.prototype, 'localeCompare', function localeCompare(that, locales, options) {
    return intl().localeCompare(String(this), String(that), locales, options);
  });
  // Only a few languages change case in ways of their own.
  for (const [name, upper] of [['toLocaleUpperCase', true], ['toLocaleLowerCase', false]]) {
    method(String.prototype, name, function (locales) {
      if (locales !== undefined) return intl().changeCase(String(this), upper, locales);
      return upper ? String(this).toUpperCase() : String(this).toLowerCase();
    });
  }
}

// Built-ins that parts loaded later need, as they were before anything could be taken from them.
function capture({ Object, Reflect, Proxy, Function }) {
  const names = [
    'assign', 'create', 'defineProperties', 'defineProperty', 'entries', 'freeze', 'fromEntries', 'getOwnPropertyNames',
    'getPrototypeOf', 'hasOwn', 'is', 'keys', 'prototype', 'setPrototypeOf', 'values',
  ];
  const statics = { __proto__: null };
  for (const name of names) statics[name] = Object[name];
  return { __proto__: null, Object: statics, Reflect: { __proto__: null, construct: Reflect.construct }, Proxy, Function };
}

// A Date whose present is given by the host; everything else is the engine's own.
function wrapDate(global, { Object, Reflect }, now) {
  const Native = global.Date;
  const { construct } = Reflect;
  function Clock(...fields) {
    if (!new.target) return new Native(now()).toString();
    return construct(Native, fields.length ? fields : [now()], new.target);
  }
  const hidden = (value) => ({ value, writable: true, configurable: true, enumerable: false });
  Object.defineProperties(Clock, {
    name: { value: 'Date', configurable: true },
    length: { value: 7, configurable: true },
    prototype: { value: Native.prototype, writable: false },
    now: hidden(function () {
      return now();
    }),
    parse: hidden(Native.parse),
    UTC: hidden(Native.UTC),
  });
  Object.defineProperty(Native.prototype, 'constructor', hidden(Clock));
  Object.defineProperty(global, 'Date', hidden(Clock));
}
