// What every context gets at once: names of the expression library, each loaded when it is first touched. It makes as few
// objects as it can. `natives` holds the built-ins that the context's code may not find any more: Object's functions,
// Reflect, Proxy, Function.
export default function install(load, global, natives) {
  const own = capture(natives);
  const parts = { __proto__: null };
  const part = (name) => (parts[name] ??= load(name)(part, load, own));
  const { defineProperty } = own.Object;

  const define = (name, value) => defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });
  const lazy = (name, from) =>
    defineProperty(global, name, {
      get() {
        const value = part(from)[name];
        define(name, value);
        return value;
      },
      set(value) {
        define(name, value);
      },
      configurable: true,
    });
  const live = (name, method) =>
    defineProperty(global, name, {
      get: () => part('dates')[method](),
      set: (value) => define(name, value),
      configurable: true,
    });

  lazy('DateTime', 'dates');
  lazy('Duration', 'dates');
  lazy('Interval', 'dates');
  live('$now', 'now');
  live('$today', 'today');
  lazy('Intl', 'intl');
  lazy('$jmespath', 'globals');
  lazy('$jmesPath', 'globals');
  for (const name of ['extend', 'extendOptional', 'ExpressionError', 'ExpressionExtensionError']) lazy(name, 'extend');
  for (const name of ['min', 'max', 'average', 'numberList', 'zip', 'not']) lazy(name, 'globals');
  for (const name of ['$min', '$max', '$average', '$not', '$if', '$ifEmpty']) lazy(name, 'globals');
  localize(global, defineProperty, part);

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
function localize({ Date, Number, BigInt, String }, defineProperty, part) {
  const intl = () => part('intl');
  // These are there already, so they stay hidden and writable.
  const method = (prototype, name, value) => defineProperty(prototype, name, { value });
  function number(locales, options) {
    return intl().numberToLocaleString(this.valueOf(), locales, options);
  }
  method(Number.prototype, 'toLocaleString', number);
  if (BigInt) method(BigInt.prototype, 'toLocaleString', number);
  method(Date.prototype, 'toLocaleString', function (locales, options) {
    return intl().dateToLocaleString(this, locales, options);
  });
  method(Date.prototype, 'toLocaleDateString', function (locales, options) {
    return intl().dateToLocaleDateString(this, locales, options);
  });
  method(Date.prototype, 'toLocaleTimeString', function (locales, options) {
    return intl().dateToLocaleTimeString(this, locales, options);
  });
  // Processes run in UTC, whose name the engine leaves out.
  for (const name of ['toString', 'toTimeString']) {
    const plain = Date.prototype[name];
    method(Date.prototype, name, function () {
      const text = plain.call(this);
      return text.endsWith('+0000') ? `${text} (Coordinated Universal Time)` : text;
    });
  }
  method(String.prototype, 'localeCompare', function (that, locales, options) {
    return intl().localeCompare(String(this), String(that), locales, options);
  });
  // Only a few languages change case in ways of their own.
  method(String.prototype, 'toLocaleUpperCase', function (locales) {
    return locales === undefined ? String(this).toUpperCase() : intl().changeCase(String(this), true, locales);
  });
  method(String.prototype, 'toLocaleLowerCase', function (locales) {
    return locales === undefined ? String(this).toLowerCase() : intl().changeCase(String(this), false, locales);
  });
}

// Built-ins that parts loaded later need, as they were before anything could be taken from them.
function capture({ Object, Reflect, Proxy, Function }) {
  const {
    assign, create, defineProperties, defineProperty, entries, freeze, fromEntries, getOwnPropertyNames, getPrototypeOf,
    hasOwn, is, keys, prototype, setPrototypeOf, values,
  } = Object;
  const statics = {
    __proto__: null,
    assign, create, defineProperties, defineProperty, entries, freeze, fromEntries, getOwnPropertyNames, getPrototypeOf,
    hasOwn, is, keys, prototype, setPrototypeOf, values,
  };
  return { __proto__: null, Object: statics, Reflect: { construct: Reflect.construct }, Proxy, Function };
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
