// Methods of arrays. Equality is deep; elements are found through a hash, so no method is quadratic.
let Object;

export default (part, load, own) => {
  ({ Object } = own);
  const { ExpressionExtensionError } = part('extend');
  const { merge: mergeObjects, compact: compactObject } = part('objects').functions;

  const plain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

  const list = (value, name, example) => {
    if (!Array.isArray(value))
      throw new ExpressionExtensionError(`${name}(): expected array arg, e.g. .${name}(${example})`);
    return value;
  };

  const numbers = (values, name) => {
    for (const value of values)
      if (typeof value !== 'number')
        throw new ExpressionExtensionError(`${name}(): all array elements must be numbers`);
    return values;
  };

  const extreme = (name, better) => (values) => {
    numbers(values, name);
    let best = better === 'low' ? Infinity : -Infinity;
    for (const value of values) best = better === 'low' ? Math.min(best, value) : Math.max(best, value);
    return best;
  };

  function sum(values) {
    let total = 0;
    for (const value of numbers(values, 'sum')) total += value;
    return total;
  }

  const blank = (value) => value === null || value === undefined || value === '' || value === 'nil';
  const hollow = (value) => typeof value === 'object' && !(value instanceof Date) && !Object.keys(value).length;

  function pluck(values, fields) {
    if (!fields.length) return values;
    const found = [];
    for (const value of values) {
      if (!plain(value)) continue;
      const picked = [];
      for (const key of Object.keys(value)) if (fields.includes(key)) picked.push(value[key]);
      if (picked.length) found.push(picked.length === 1 ? picked[0] : picked);
    }
    return found;
  }

  function unique(values, fields) {
    const seen = new Bag();
    const view = (value) =>
      fields.length && plain(value) ? Object.fromEntries(fields.map((field) => [field, value[field]])) : value;
    return values.filter((value) => seen.add(view(value)));
  }

  function union(values, [other]) {
    list(other, 'union', '[1, 2, 3, 4]');
    const seen = new Bag();
    return [...values, ...other].filter((value) => seen.add(value));
  }

  function intersection(values, [other]) {
    const wanted = new Bag(list(other, 'intersection', '[1, 2, 3, 4]'));
    const seen = new Bag();
    return values.filter((value) => wanted.has(value) && seen.add(value));
  }

  function difference(values, [other]) {
    const unwanted = new Bag(list(other, 'difference', '[1, 2, 3, 4]'));
    const seen = new Bag();
    return values.filter((value) => !unwanted.has(value) && seen.add(value));
  }

  function merge(values, [others]) {
    if (others !== undefined) {
      list(others, 'merge', '[{ id: 1, otherValue: 3 }]');
      let merged = {};
      for (let at = 0; at < others.length; at++)
        if (plain(values[at]) && plain(others[at])) merged = { ...merged, ...mergeObjects(values[at], [others[at]]) };
      return merged;
    }
    return values.filter(plain).reduce((merged, value) => mergeObjects(merged, [value]), {});
  }

  function chunk(values, [size]) {
    if (typeof size !== 'number' || !(Math.floor(size) > 0))
      throw new ExpressionExtensionError('chunk(): expected non-zero numeric arg, e.g. .chunk(5)');
    const chunks = [];
    for (let at = 0; at < values.length; at += Math.floor(size)) chunks.push(values.slice(at, at + Math.floor(size)));
    return chunks;
  }

  function smartJoin(values, [keyField, valueField]) {
    if (!keyField || !valueField || typeof keyField !== 'string' || typeof valueField !== 'string')
      throw new ExpressionExtensionError(
        'smartJoin(): expected two string args, e.g. .smartJoin("name", "value")',
      );
    const pairs = values.filter((value) => plain(value) && keyField in value && valueField in value);
    return Object.fromEntries(pairs.map((value) => [value[keyField], value[valueField]]));
  }

  function renameKeys(values, names) {
    if (!names.length || names.length % 2)
      throw new ExpressionExtensionError(
        'renameKeys(): expected an even amount of args: from1, to1 [, from2, to2, ...]. e.g. .renameKeys("name", "title")',
      );
    return values.map((value) => {
      if (!plain(value)) return value;
      const renamed = { ...value };
      for (let at = 0; at < names.length; at += 2) {
        if (!(names[at] in renamed)) continue;
        const field = renamed[names[at]];
        delete renamed[names[at]];
        renamed[names[at + 1]] = field;
      }
      return renamed;
    });
  }

  const functions = {
    __proto__: null,
    append: (values, added) => [...values, ...added],
    average: (values) => {
      numbers(values, 'average');
      return values.length ? sum(values) / values.length : 0;
    },
    chunk,
    compact: (values) => values.filter((value) => !blank(value) && !hollow(value)).map((value) => compactObject(value)),
    difference,
    first: (values) => values[0],
    intersection,
    isEmpty: (values) => values.length === 0,
    isNotEmpty: (values) => values.length !== 0,
    last: (values) => values[values.length - 1],
    max: extreme('max', 'high'),
    merge,
    min: extreme('min', 'low'),
    pluck,
    randomItem: (values) => values[Math.floor(Math.random() * values.length)],
    removeDuplicates: unique,
    renameKeys,
    smartJoin,
    sum,
    toJsonString: (values) => JSON.stringify(values),
    union,
    unique,
    toInt: () => undefined,
    toFloat: () => undefined,
    toNumber: () => undefined,
    toBoolean: () => undefined,
    toDateTime: () => undefined,
  };
  return { functions, isEqual };
};

// Values under deep equality: primitives in a Set, objects under their canonical JSON text, then compared.
class Bag {
  #primitives = new Set();
  #objects = new Map();

  constructor(values = []) {
    for (const value of values) this.add(value);
  }

  // Was the value new?
  add(value) {
    if (typeof value !== 'object' || value === null) {
      if (this.#primitives.has(value)) return false;
      this.#primitives.add(value);
      return true;
    }
    const key = canonical(value);
    const bucket = this.#objects.get(key);
    if (!bucket) this.#objects.set(key, [value]);
    else if (bucket.some((other) => isEqual(other, value))) return false;
    else bucket.push(value);
    return true;
  }

  has(value) {
    if (typeof value !== 'object' || value === null) return this.#primitives.has(value);
    return (this.#objects.get(canonical(value)) ?? []).some((other) => isEqual(other, value));
  }
}

function canonical(value) {
  const sorted = (_, field) =>
    field !== null && typeof field === 'object' && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : typeof field === 'bigint'
        ? `${field}n`
        : field;
  return JSON.stringify(value, sorted);
}

function isEqual(a, b) {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && Object.is(a.getTime(), b.getTime());
  if (a.isLuxonDateTime && b.isLuxonDateTime) return a.equals(b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
  );
}
