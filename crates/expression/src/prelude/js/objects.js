// Methods of objects other than arrays and dates.
export default (part, load, { Object }) => {
  const { ExpressionExtensionError } = part('extend');
  const { hasOwn } = Object;

  const plain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

  const put = (target, key, value) =>
    Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: true });

  const without = (value, drop) => {
    const kept = {};
    for (const key of Object.keys(value)) if (!drop(value[key], key)) put(kept, key, value[key]);
    return kept;
  };

  const needle = (text, name) => {
    if (typeof text !== 'string' || text === '')
      throw new ExpressionExtensionError(`${name}(): expected non-empty string arg`);
    return text;
  };

  function merge(value, [other]) {
    if (!plain(other)) throw new ExpressionExtensionError('merge(): expected object arg');
    const merged = without(value, () => false);
    for (const key of Object.keys(other)) if (!hasOwn(merged, key)) put(merged, key, other[key]);
    return merged;
  }

  const blank = (value) => value === null || value === undefined || value === '' || value === 'nil';

  const nested = (value) =>
    value !== null && typeof value === 'object' && !(value instanceof Date) && value.isLuxonDateTime !== true;

  // Arrays inside become objects with their indexes as keys, as in n8n.
  function compact(value) {
    if (!nested(value)) return value;
    const kept = {};
    for (const key of Object.keys(value)) {
      const field = value[key];
      if (blank(field)) continue;
      if (!nested(field)) put(kept, key, field);
      else if (Object.keys(field).length) put(kept, key, compact(field));
    }
    return kept;
  }

  const form = (text) =>
    encodeURIComponent(text)
      .replace(/[!'()~]/g, (letter) => '%' + letter.charCodeAt(0).toString(16).toUpperCase())
      .replace(/%20/g, '+');

  const functions = {
    __proto__: null,
    isEmpty: (value) => Object.keys(value).length === 0,
    isNotEmpty: (value) => Object.keys(value).length !== 0,
    keys: (value) => Object.keys(value),
    values: (value) => Object.values(value),
    hasField: (value, [name]) => name in value,
    removeField: (value, [name]) => without(value, (_, key) => key === name),
    removeFieldsContaining(value, [text]) {
      needle(text, 'removeFieldsContaining');
      return without(value, (field) => typeof field === 'string' && field.includes(text));
    },
    keepFieldsContaining(value, [text]) {
      needle(text, 'keepFieldsContaining');
      return without(value, (field) => !(typeof field === 'string' && field.includes(text)));
    },
    compact,
    merge,
    urlEncode: (value) =>
      Object.entries(value)
        .map(([key, field]) => `${form(key)}=${form(String(field))}`)
        .join('&'),
    toJsonString: (value) => JSON.stringify(value),
    toInt: () => undefined,
    toFloat: () => undefined,
    toNumber: () => undefined,
    toBoolean: () => undefined,
    toDateTime: () => undefined,
  };
  return { functions };
};
