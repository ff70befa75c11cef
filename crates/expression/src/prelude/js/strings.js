// Methods of strings.
export default (part, load) => {
  const { ExpressionExtensionError } = part('extend');
  const host = load('host');

  // Those that look into prose bring many patterns with them, so they are loaded when one of them is called.
  const prose = {};
  for (const name of [
    'extractDomain', 'extractEmail', 'extractUrl', 'extractUrlPath', 'isDomain', 'isEmail', 'isUrl', 'removeMarkdown',
    'removeTags', 'toSentenceCase', 'toSnakeCase', 'toTitleCase',
  ])
    prose[name] = (value) => part('text')[name](value);

  const bare = (value) => value.replace(/\p{Sc}/gu, '');

  const number = (read, kind) => (value, args) => {
    const found = read(bare(value), args);
    if (Number.isNaN(found)) throw new ExpressionExtensionError(`cannot convert to ${kind}`);
    return found;
  };

  function toFloat(value) {
    if (value.includes(','))
      throw new ExpressionExtensionError('cannot convert to float, expected . as decimal separator');
    return toDecimal(value);
  }
  const toDecimal = number(parseFloat, 'float');
  const toInt = number((value, [radix]) => parseInt(value, radix), 'integer');

  function toDate(value) {
    const date = new Date(value);
    if (Number.isNaN(date.getTime())) throw new ExpressionExtensionError('cannot convert to date');
    if (!value.includes(':')) date.setHours(0, 0, 0);
    return date;
  }

  function toDateTime(value, [format]) {
    const { DateTime, toDateTime: parsed } = part('dates');
    if (!format) return parsed(value);
    if (['ms', 's', 'us', 'excel'].includes(format)) return part('numbers').functions.toDateTime(Number(value), [format]);
    const read = DateTime.fromFormat(value, format);
    if (!read.isValid) throw new ExpressionExtensionError('cannot convert to Luxon DateTime');
    return read;
  }

  function hash(value, [algorithm = 'md5']) {
    const name = String(algorithm).toLowerCase();
    if (name === 'base64') return host.base64Encode(value);
    const digest = host.digest(name, value);
    if (digest === undefined)
      throw new ExpressionExtensionError(
        `Unknown algorithm ${algorithm}. Available algorithms are: md5,sha1,sha224,sha256,sha384,sha512,sha3, and Base64.`,
      );
    return digest;
  }

  function parseJson(value) {
    try {
      return JSON.parse(value);
    } catch {
      throw new ExpressionExtensionError(
        value.includes("'") ? "Parsing failed. Check you're using double quotes" : 'Parsing failed',
      );
    }
  }

  const FALSE = ['', '0', 'false', 'no'];

  const functions = {
    __proto__: null,
    base64Decode: (value) => host.base64Decode(value),
    base64Encode: (value) => host.base64Encode(value),
    ...prose,
    hash,
    isEmpty: (value) => value === '',
    isNotEmpty: (value) => value !== '',
    isNumeric: (value) => !value.includes(' ') && !Number.isNaN(Number(value)) && !Number.isNaN(parseFloat(value)),
    parseJson,
    quote: (value, [mark = '"']) => mark + value.replaceAll(mark, `\\${mark}`) + mark,
    replaceSpecialChars: (value) => host.transliterate(value),
    toBoolean: (value) => !FALSE.includes(value.toLowerCase()),
    toDate,
    toDateTime,
    toDecimalNumber: toFloat,
    toFloat,
    toInt,
    toJsonString: (value) => JSON.stringify(value),
    toNumber: number(Number, 'number'),
    toWholeNumber: toInt,
    urlDecode: (value, [whole]) => (whole ? decodeURI(value) : decodeURIComponent(value)),
    urlEncode: (value, [whole]) => (whole ? encodeURI(value) : encodeURIComponent(value)),
  };
  return { functions };
};
