// Intl: options and their defaults as ECMA-402 has them; the host writes the text.
export default (part, load, own) => {
  const { Object } = own;
  const host = load('host');

  // ---- locales and options ----
  const DEFAULT = 'en-US';

  function canonicalLocales(locales) {
    if (locales === undefined) return [];
    const list = typeof locales === 'string' || locales instanceof Locale ? [locales] : [...locales];
    return list.map((tag) => {
      if (typeof tag !== 'string' && !(tag instanceof Locale)) throw new TypeError('Incorrect locale information provided');
      return host.canonicalLocale(String(tag));
    });
  }

  const resolve = (locales) => canonicalLocales(locales).find((tag) => host.isKnownLocale(tag)) ?? DEFAULT;
  const supportedLocalesOf = (locales) => canonicalLocales(locales).filter((tag) => host.isKnownLocale(tag));

  function pick(options, name, allowed, fallback) {
    const value = options[name];
    if (value === undefined) return fallback;
    const text = String(value);
    if (allowed && !allowed.includes(text))
      throw new RangeError(`Value ${text} out of range for Intl options property ${name}`);
    return text;
  }

  function count(options, name, least, most, fallback) {
    const value = options[name];
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!(number >= least && number <= most)) throw new RangeError(`${name} value is out of range.`);
    return Math.floor(number);
  }

  const given = (options) => {
    if (options === null) throw new TypeError('Cannot convert undefined or null to object');
    return options ?? {};
  };

  const toParts = (flat) => {
    const parts = [];
    for (let at = 0; at < flat.length; at += 2) parts.push({ type: flat[at], value: flat[at + 1] });
    return parts;
  };
  const toText = (flat) => {
    let text = '';
    for (let at = 1; at < flat.length; at += 2) text += flat[at];
    return text;
  };

  // ---- dates ----
  const NUMERIC = ['numeric', '2-digit'];
  const NAMES = ['narrow', 'short', 'long'];
  const STYLES = ['full', 'long', 'medium', 'short'];
  const ZONE_NAMES = ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'];
  const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
  const TIME_FIELDS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];

  function dateOptions(locales, options, needed, defaults) {
    const read = {
      locale: resolve(locales),
      timeZone: pick(options, 'timeZone', undefined, undefined) ?? host.systemZone(),
      weekday: pick(options, 'weekday', NAMES),
      era: pick(options, 'era', NAMES),
      year: pick(options, 'year', NUMERIC),
      month: pick(options, 'month', [...NUMERIC, ...NAMES]),
      day: pick(options, 'day', NUMERIC),
      dayPeriod: pick(options, 'dayPeriod', NAMES),
      hour: pick(options, 'hour', NUMERIC),
      minute: pick(options, 'minute', NUMERIC),
      second: pick(options, 'second', NUMERIC),
      fractionalSecondDigits: count(options, 'fractionalSecondDigits', 1, 3),
      timeZoneName: pick(options, 'timeZoneName', ZONE_NAMES),
      dateStyle: pick(options, 'dateStyle', STYLES),
      timeStyle: pick(options, 'timeStyle', STYLES),
    };
    const has = (fields) => fields.some((field) => read[field] !== undefined);
    if (read.dateStyle || read.timeStyle) {
      const clash = ['era', 'timeZoneName', ...DATE_FIELDS, ...TIME_FIELDS].find((field) => read[field] !== undefined);
      if (clash) throw new TypeError(`Can't set option ${clash} when ${read.dateStyle ? 'dateStyle' : 'timeStyle'} is used`);
    } else if (!has(needed === 'date' ? DATE_FIELDS : needed === 'time' ? TIME_FIELDS : [...DATE_FIELDS, ...TIME_FIELDS])) {
      if (defaults !== 'time') for (const field of ['year', 'month', 'day']) read[field] = 'numeric';
      if (defaults !== 'date') for (const field of ['hour', 'minute', 'second']) read[field] = 'numeric';
    }
    if (read.timeZone && !/^[+-]/.test(read.timeZone) && !host.zoneExists(read.timeZone))
      throw new RangeError(`Invalid time zone specified: ${read.timeZone}`);
    if (read.hour || read.timeStyle) {
      const cycle = pick(options, 'hourCycle', ['h11', 'h12', 'h23', 'h24']) ?? /-u-.*\bhc-(h\d\d)/.exec(read.locale)?.[1];
      const twelve = options.hour12;
      read.wantedCycle = twelve === undefined ? cycle : twelve ? 'h12' : host.usesTwelveHours(read.locale) ? 'h24' : 'h23';
      read.hourCycle = read.wantedCycle ?? (host.usesTwelveHours(read.locale) ? 'h12' : 'h23');
    }
    return read;
  }

  const time = (date) => {
    if (date === undefined) return Date.now();
    const ms = Number(date);
    if (!Number.isFinite(ms)) throw new RangeError('Invalid time value');
    return ms;
  };

  class DateTimeFormat {
    #options;
    #write;

    constructor(locales, options, needed = 'any', defaults = 'date') {
      this.#options = dateOptions(locales, given(options), needed, defaults);
      this.#write = host.dateFormat(this.#options);
    }
    get format() {
      return (date) => toText(this.#write(time(date)));
    }
    formatToParts(date) {
      return toParts(this.#write(time(date)));
    }
    formatRange(from, to) {
      const [first, last] = [toText(this.#write(time(from))), toText(this.#write(time(to)))];
      return first === last ? first : `${first}\u2009–\u2009${last}`;
    }
    formatRangeToParts(from, to) {
      const of = (date, source) => this.formatToParts(date).map((found) => ({ ...found, source }));
      return [...of(from, 'startRange'), { type: 'literal', value: '\u2009–\u2009', source: 'shared' }, ...of(to, 'endRange')];
    }
    resolvedOptions() {
      const { locale, timeZone, hourCycle, wantedCycle, ...fields } = this.#options;
      const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
      const cycle = hourCycle && { hourCycle, hour12: hourCycle === 'h11' || hourCycle === 'h12' };
      return { locale, calendar: 'gregory', numberingSystem: 'latn', timeZone, ...cycle, ...Object.fromEntries(shown) };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  // ---- numbers ----
  function numberOptions(locales, options) {
    const style = pick(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
    const currency = pick(options, 'currency')?.toUpperCase();
    if (style === 'currency' && !currency) throw new TypeError('Currency code is required with currency style.');
    if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) throw new RangeError(`Invalid currency code : ${options.currency}`);
    const unit = pick(options, 'unit');
    if (style === 'unit' && !unit) throw new TypeError('Required unit must not be undefined');
    const notation = pick(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard');
    const grouping = options.useGrouping;
    return {
      locale: resolve(locales),
      style,
      ...(style === 'currency' && {
        currency,
        currencyDisplay: pick(options, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol'),
        currencySign: pick(options, 'currencySign', ['standard', 'accounting'], 'standard'),
      }),
      ...(style === 'unit' && { unit, unitDisplay: pick(options, 'unitDisplay', NAMES, 'short') }),
      ...digitOptions(options, style === 'currency' ? (MINOR_DIGITS[currency] ?? 2) : style === 'percent' ? 0 : undefined, notation),
      useGrouping:
        grouping === false || grouping === 'false'
          ? 'false'
          : typeof grouping === 'string' && grouping !== 'true'
            ? pick(options, 'useGrouping', ['min2', 'auto', 'always'])
            : notation === 'compact' ? 'min2' : grouping === true ? 'always' : 'auto',
      notation,
      ...(notation === 'compact' && { compactDisplay: pick(options, 'compactDisplay', ['short', 'long'], 'short') }),
      signDisplay: pick(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto'),
    };
  }

  function digitOptions(options, fixed, notation) {
    const minimumIntegerDigits = count(options, 'minimumIntegerDigits', 1, 21, 1);
    if (options.minimumSignificantDigits !== undefined || options.maximumSignificantDigits !== undefined) {
      const minimumSignificantDigits = count(options, 'minimumSignificantDigits', 1, 21, 1);
      const maximumSignificantDigits = count(options, 'maximumSignificantDigits', minimumSignificantDigits, 21, 21);
      return { minimumIntegerDigits, minimumSignificantDigits, maximumSignificantDigits };
    }
    const least = count(options, 'minimumFractionDigits', 0, 100);
    const most = count(options, 'maximumFractionDigits', 0, 100);
    if (least !== undefined && most !== undefined && least > most)
      throw new RangeError('maximumFractionDigits value is out of range.');
    const usual = [fixed ?? 0, fixed ?? (notation === 'compact' ? 0 : 3)];
    return {
      minimumIntegerDigits,
      minimumFractionDigits: least ?? Math.min(usual[0], most ?? usual[0]),
      maximumFractionDigits: most ?? Math.max(usual[1], least ?? usual[1]),
    };
  }

  // Decimal text of a number, or a text of its own for what is not finite.
  const decimal = (value) => (typeof value === 'bigint' ? String(value) : String(Object.is(Number(value), -0) ? '-0' : Number(value)));

  class NumberFormat {
    #options;
    #write;

    constructor(locales, options) {
      this.#options = numberOptions(locales, given(options));
      this.#write = host.numberFormat(this.#options);
    }
    #flat(value) {
      const text = decimal(value);
      if (text === 'NaN') return ['nan', 'NaN'];
      if (!text.endsWith('Infinity')) return this.#write(text);
      // The sign and what stands around the digits are those of any other number.
      const around = this.#write(text.startsWith('-') ? '-1' : '1');
      return around.map((piece, at) => (at % 2 && around[at - 1] === 'integer' ? '∞' : piece));
    }
    get format() {
      return (value) => toText(this.#flat(value));
    }
    formatToParts(value) {
      return toParts(this.#flat(value));
    }
    formatRange(from, to) {
      return `${this.format(from)}–${this.format(to)}`;
    }
    resolvedOptions() {
      const { locale, useGrouping, ...rest } = this.#options;
      return { locale, numberingSystem: 'latn', useGrouping: useGrouping === 'false' ? false : useGrouping, ...rest };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  // ---- words ----
  const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

  class RelativeTimeFormat {
    #options;
    #writers = { __proto__: null };

    constructor(locales, options) {
      const read = given(options);
      this.#options = {
        locale: resolve(locales),
        style: pick(read, 'style', NAMES, 'long'),
        numeric: pick(read, 'numeric', ['always', 'auto'], 'always'),
        numberingSystem: 'latn',
      };
    }
    format(value, unit) {
      const { locale, style, numeric } = this.#options;
      const name = String(unit).replace(/s$/, '');
      if (!UNITS.includes(name)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
      if (!Number.isFinite(Number(value))) throw new RangeError('Invalid number value');
      const write = (this.#writers[name] ??= host.relativeFormat(locale, name, style, numeric === 'auto'));
      return write(decimal(value));
    }
    formatToParts(value, unit) {
      return [{ type: 'literal', value: this.format(value, unit) }];
    }
    resolvedOptions() {
      return { ...this.#options };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  class ListFormat {
    #options;

    constructor(locales, options) {
      const read = given(options);
      this.#options = {
        locale: resolve(locales),
        type: pick(read, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction'),
        style: pick(read, 'style', NAMES, 'long'),
      };
    }
    #flat(texts) {
      const list = [...texts];
      for (const text of list) if (typeof text !== 'string') throw new TypeError('Iterable yielded a non-String value');
      return host.listFormat(this.#options.locale, this.#options.type, this.#options.style, list);
    }
    format(texts) {
      return toText(this.#flat(texts));
    }
    formatToParts(texts) {
      return toParts(this.#flat(texts));
    }
    resolvedOptions() {
      return { ...this.#options };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  class PluralRules {
    #options;

    constructor(locales, options) {
      const read = given(options);
      this.#options = { locale: resolve(locales), type: pick(read, 'type', ['cardinal', 'ordinal'], 'cardinal') };
    }
    select(value) {
      if (!Number.isFinite(Number(value))) return 'other';
      return host.plural(this.#options.locale, this.#options.type === 'ordinal', decimal(value));
    }
    resolvedOptions() {
      return { ...this.#options };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  // ---- order ----
  class Collator {
    #options;
    #compare;

    constructor(locales, options) {
      const read = given(options);
      const locale = resolve(locales);
      this.#options = {
        locale,
        usage: pick(read, 'usage', ['sort', 'search'], 'sort'),
        sensitivity: pick(read, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'),
        ignorePunctuation: Boolean(read.ignorePunctuation),
        numeric: read.numeric === undefined ? /-u-.*\bkn(?!-false)/.test(locale) : Boolean(read.numeric),
        caseFirst: pick(read, 'caseFirst', ['upper', 'lower', 'false'], 'false'),
        collation: 'default',
      };
      this.#compare = host.collator(this.#options);
    }
    get compare() {
      return (left, right) => this.#compare(String(left), String(right));
    }
    resolvedOptions() {
      return { ...this.#options };
    }
    static supportedLocalesOf = supportedLocalesOf;
  }

  class Locale {
    #tag;

    constructor(tag, options = {}) {
      let text = host.canonicalLocale(String(tag));
      if (options.language !== undefined) text = text.replace(/^[^-]+/, String(options.language));
      if (options.region !== undefined) text = text.replace(/^([^-]+(?:-[A-Z][a-z]{3})?)(?:-(?:[A-Z]{2}|\d{3}))?/, `$1-${options.region}`);
      this.#tag = host.canonicalLocale(text);
    }
    get baseName() {
      return this.#tag.replace(/-[a-z\d]-.*$/i, '');
    }
    get language() {
      return this.#tag.split('-')[0];
    }
    get script() {
      return /-([A-Z][a-z]{3})\b/.exec(this.baseName)?.[1];
    }
    get region() {
      return /-([A-Z]{2}|\d{3})\b/.exec(this.baseName)?.[1];
    }
    get numberingSystem() {
      return /-u-.*\bnu-([a-z\d]+)/.exec(this.#tag)?.[1];
    }
    get calendar() {
      return /-u-.*\bca-([a-z\d]+)/.exec(this.#tag)?.[1];
    }
    get hourCycle() {
      return /-u-.*\bhc-(h\d\d)/.exec(this.#tag)?.[1];
    }
    getWeekInfo() {
      const [firstDay, minimalDays, ...weekend] = host.weekInfo(this.#tag);
      return { firstDay, weekend, minimalDays };
    }
    get weekInfo() {
      return this.getWeekInfo();
    }
    toString() {
      return this.#tag;
    }
  }

  // The formatters that toLocaleString and its kin make of the same arguments again and again.
  const kept = new Map();
  function reuse(kind, locales, options, make) {
    const key = kind + JSON.stringify([locales, options]);
    const found = kept.get(key) ?? make();
    if (kept.size > 64) kept.clear();
    kept.set(key, found);
    return found;
  }

  const dateText = (needed, defaults) => (date, locales, options) => {
    const ms = date.getTime();
    if (Number.isNaN(ms)) return 'Invalid Date';
    const make = () => new DateTimeFormat(locales, options, needed, defaults);
    return reuse(`date ${needed}`, locales, options, make).format(ms);
  };

  const caseOf = (locales) => canonicalLocales(locales)[0] ?? DEFAULT;

  const constructors = { DateTimeFormat, NumberFormat, RelativeTimeFormat, ListFormat, PluralRules, Collator, Locale };
  const Intl = {};
  const callable = ['DateTimeFormat', 'NumberFormat', 'Collator'];
  for (const name of Object.keys(constructors)) {
    const Class = constructors[name];
    Object.freeze(Class.prototype);
    // These three may be called without `new`.
    const value = callable.includes(name) ? withoutNew(Class, own) : Class;
    Object.defineProperty(Intl, name, { value, writable: true, configurable: true, enumerable: false });
  }
  const getCanonicalLocales = (locales) => canonicalLocales(locales);
  Object.defineProperty(Intl, 'getCanonicalLocales', { value: getCanonicalLocales, writable: true, configurable: true, enumerable: false });
  Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });

  return {
    Intl,
    dateToLocaleString: dateText('any', 'all'),
    dateToLocaleDateString: dateText('date', 'date'),
    dateToLocaleTimeString: dateText('time', 'time'),
    numberToLocaleString: (value, locales, options) =>
      reuse('number', locales, options, () => new NumberFormat(locales, options)).format(value),
    localeCompare: (left, right, locales, options) =>
      reuse('order', locales, options, () => new Collator(locales, options)).compare(left, right),
    changeCase: (text, upper, locales) => host.changeCase(text, upper, caseOf(locales)),
  };
};

function withoutNew(Class, { Object, Reflect, Proxy }) {
  return new Proxy(Class, {
    apply: (_, __, fields) => new Class(fields[0], fields[1]),
    construct: (_, fields, target) => Reflect.construct(Class, [fields[0], fields[1]], target),
  });
}

// ISO 4217: currencies whose minor unit is not a hundredth.
const MINOR_DIGITS = {
  __proto__: null,
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0,
  XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
};
