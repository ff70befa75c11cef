// Functions that expressions call by name.
export default (part, load, own) => {
  const { Object } = own;
  const { ExpressionError, ExpressionExtensionError } = part('extend');
  const { average: averageOf } = part('arrays').functions;

  const min = (...values) => Math.min(...values);
  const max = (...values) => Math.max(...values);
  const average = (...values) => averageOf(values, []);
  const not = (value) => !value;

  function numberList(start, end) {
    const size = Math.abs(start - end) + 1;
    const step = start < end ? 1 : -1;
    const values = [];
    for (let at = 0; at < size; at++) values.push(start + at * step);
    return values;
  }

  function zip(keys, values) {
    if (!Array.isArray(keys) || !Array.isArray(values))
      throw new ExpressionExtensionError('keys and values must be arrays');
    if (keys.length !== values.length) throw new ExpressionExtensionError('keys and values not of equal length');
    const zipped = {};
    for (let at = 0; at < keys.length; at++)
      Object.defineProperty(zipped, keys[at], {
        value: values[at],
        writable: true,
        configurable: true,
        enumerable: true,
      });
    return zipped;
  }

  function $if(...args) {
    const [condition, yes, no] = args;
    if (args.length < 2 || args.length > 3)
      throw new ExpressionError('expected two or three arguments (test, value_if_true [, value_if_false]) for this function');
    return condition ? yes : args.length === 3 ? no : false;
  }

  function $ifEmpty(...args) {
    if (args.length !== 2) throw new ExpressionError('expected two arguments (value, defaultValue) for this function');
    const [value, otherwise] = args;
    if (value === undefined || value === null || value === '') return otherwise;
    if (typeof value !== 'object' || value instanceof Date) return value;
    return Object.keys(value).length ? value : otherwise;
  }

  function $jmespath(data, query) {
    if (typeof data !== 'object' || data === null || typeof query !== 'string')
      throw new ExpressionError('expected two arguments (Object, string) for this function');
    for (const [name] of query.matchAll(/[A-Za-z_$][\w$]*/g))
      if (HIDDEN.has(name))
        throw new ExpressionError('Cannot access this property in a jmespath query due to security concerns');
    jmespath ??= load('jmespath')(own);
    return jmespath.search(data, query);
  }
  let jmespath;

  return {
    min, max, average, not, numberList, zip,
    $min: min, $max: max, $average: average, $not: not, $if, $ifEmpty, $jmespath, $jmesPath: $jmespath,
  };
};

// Fields that lead from data to code.
const HIDDEN = new Set([
  '__proto__', 'prototype', 'constructor', 'getPrototypeOf', 'setPrototypeOf', 'defineProperty', 'defineProperties',
  'getOwnPropertyDescriptor', 'getOwnPropertyDescriptors', '__defineGetter__', '__defineSetter__', '__lookupGetter__',
  '__lookupSetter__', 'prepareStackTrace', 'mainModule', 'binding', '_linkedBinding', '_load', 'caller', 'arguments',
]);
