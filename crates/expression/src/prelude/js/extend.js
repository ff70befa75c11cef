// Calls of extension methods: the function that the receiver's type has by that name, else the receiver's own method.
let Object;

class ExpressionError extends Error {
  constructor(message, { description, context } = {}) {
    super(message);
    hide(this, 'name', 'ExpressionError');
    if (description !== undefined) hide(this, 'description', description);
    if (context !== undefined) hide(this, 'context', context);
  }
}

class ExpressionExtensionError extends ExpressionError {
  constructor(message, details) {
    super(message, details);
    hide(this, 'name', 'ExpressionExtensionError');
  }
}

function hide(target, name, value) {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}

const FORBIDDEN = new Set([
  '__proto__', 'prototype', 'constructor', 'getPrototypeOf', 'setPrototypeOf', 'defineProperty', 'defineProperties',
  'getOwnPropertyDescriptor', 'getOwnPropertyDescriptors', '__defineGetter__', '__defineSetter__', '__lookupGetter__',
  '__lookupSetter__', 'prepareStackTrace', 'caller', 'callee', 'arguments',
]);

// In the order in which an error lists them.
const TYPES = [
  ['Array', 'arrays'],
  ['Date', 'dates'],
  ['Number', 'numbers'],
  ['Object', 'objects'],
  ['String', 'strings'],
  ['Boolean', 'booleans'],
];

const ISO_INSTANT = /^[+-]?\d{4,6}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

export default (part, load, own) => {
  ({ Object } = own);
  const functionsOf = (type) => part(type).functions;

  // An ISO instant in text (as JSON carries dates) takes date functions, except where text has its own meaning.
  const isInstant = (text, name) =>
    text.length >= 24 &&
    text.length <= 27 &&
    name !== 'toDate' &&
    name !== 'toDateTime' &&
    ISO_INSTANT.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString() === text;

  function lookup(value, name) {
    switch (typeof value) {
      case 'string':
        if (isInstant(value, name)) return [functionsOf('dates')[name], new Date(value)];
        return [functionsOf('strings')[name], value];
      case 'number':
        return [functionsOf('numbers')[name], value];
      case 'boolean':
        return [functionsOf('booleans')[name], value];
      case 'object':
        if (value === null) return [undefined, value];
        if (Array.isArray(value)) return [functionsOf('arrays')[name], value];
        if (value instanceof Date || value.isLuxonDateTime === true) return [functionsOf('dates')[name], value];
        return [functionsOf('objects')[name], value];
      default:
        return [undefined, value];
    }
  }

  function find(value, name) {
    if (FORBIDDEN.has(name))
      throw new ExpressionExtensionError(
        `Cannot access "${name}" via expression extension due to security concerns`,
      );
    const [extension, receiver] = lookup(value, name);
    if (extension) return (args) => extension(receiver, args);
    if (receiver !== null && receiver !== undefined && typeof receiver[name] === 'function')
      return (args) => receiver[name](...args);
    if (name === 'isEmpty') return () => receiver === null || receiver === undefined;
    if (name === 'isNotEmpty') return () => receiver !== null && receiver !== undefined;
    return undefined;
  }

  function missing(value, name) {
    if (value === null || value === undefined)
      return new ExpressionExtensionError(`${name} can't be used on ${value} value`, {
        description: `To ignore this error, add a ? to the variable before this function, e.g. my_var?.${name}`,
      });
    const types = TYPES.filter(([, type]) => name in functionsOf(type)).map(([label]) => `"${label}"`);
    if (!types.length) return new ExpressionExtensionError(`Unknown expression function: ${name}`);
    if (types.length === 1) return new ExpressionExtensionError(`${name}() is only callable on type ${types[0]}`);
    const last = types.pop();
    return new ExpressionExtensionError(`${name}() is only callable on types ${types.join(', ')}, and ${last}`);
  }

  function extend(value, name, args = []) {
    name = String(name);
    const call = find(value, name);
    if (!call) throw missing(value, name);
    return call(args);
  }

  function extendOptional(value, name) {
    const call = find(value, String(name));
    return call && ((...args) => call(args));
  }

  for (const value of [extend, extendOptional, ExpressionError, ExpressionExtensionError]) Object.freeze(value);
  return { extend, extendOptional, ExpressionError, ExpressionExtensionError };
};
