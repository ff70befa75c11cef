// Luxon over the host's zones and clock, and the methods of Date and DateTime.
export default (part, load, own) => {
  const { Object } = own;
  const { ExpressionExtensionError } = part('extend');
  const host = load('host');
  const { DateTime, Duration, Interval, Settings, IANAZone, Zone, FixedOffsetZone, SystemZone } = load('luxon')(own);

  // Offsets straight from the zone database, without formatting a date for each.
  IANAZone.isValidZone = (name) => typeof name === 'string' && host.zoneExists(name);
  IANAZone.prototype.offset = function (ms) {
    return this.valid && !Number.isNaN(+ms) ? host.zoneOffset(this.zoneName, +ms) : NaN;
  };
  Settings.defaultLocale = 'en-US';
  const setZone = (name) => {
    Settings.defaultZone = name;
  };
  setZone(part('zone')());

  const dateTime = (date) => (date instanceof Date ? DateTime.fromJSDate(date) : date);
  // Answers a Date with a Date and a DateTime with a DateTime.
  const alike = (date, change) => {
    const changed = change(dateTime(date));
    return date instanceof Date ? changed.toJSDate() : changed;
  };

  // Any of the usual written forms; text without a zone is in the workflow's.
  function parse(value) {
    if (DateTime.isDateTime(value)) return value;
    if (value instanceof Date) return DateTime.fromJSDate(value);
    const text = String(value).trim();
    for (const read of [DateTime.fromISO, DateTime.fromHTTP, DateTime.fromRFC2822, DateTime.fromSQL]) {
      const parsed = read(text, { zone: Settings.defaultZone, setZone: true });
      if (parsed.isValid) return parsed;
    }
    return DateTime.fromMillis(Date.parse(text));
  }

  function toDateTime(value) {
    const parsed = Number.isNaN(value) ? undefined : tryParse(value);
    if (!parsed?.isValid) throw new ExpressionExtensionError('cannot convert to Luxon DateTime');
    return parsed;
  }

  function tryParse(value) {
    try {
      return parse(value);
    } catch {
      return undefined;
    }
  }

  const span = (name, [amount, unit]) => {
    if (amount !== null && typeof amount === 'object') return amount;
    return { [unitName(unit ?? 'milliseconds')]: amount };
  };

  function unitsOf(unit = 'days') {
    const units = (Array.isArray(unit) && unit.length ? unit : [unit]).map((name) =>
      UNITS.includes(`${name}s`) ? `${name}s` : name,
    );
    const odd = units.find((name) => !UNITS.includes(name));
    if (odd !== undefined)
      throw new ExpressionExtensionError(
        `Unsupported unit '${odd}'. Supported: ${UNITS.map((name) => `'${name}'`).join(', ')}.`,
      );
    return units;
  }

  function diffTo(date, [other = DateTime.now(), unit]) {
    const units = unitsOf(Array.isArray(unit) && !unit.length ? undefined : unit);
    const difference = dateTime(date).diff(toDateTime(other), units);
    return units.length > 1 ? difference.toObject() : difference.as(units[0]);
  }

  function isBetween(date, args) {
    if (args.length !== 2) throw new ExpressionExtensionError('isBetween(): expected exactly two args');
    const [from, to] = args.map(tryParse);
    if (!from?.isValid || !to?.isValid) return undefined;
    const [low, high] = from > to ? [to, from] : [from, to];
    return low < date && date < high;
  }

  function extract(date, [unit = 'week']) {
    const at = dateTime(date);
    if (unit === 'yearDayNumber') return at.ordinal;
    const field = FIELDS[unit] ?? unit;
    return Object.hasOwn(FIELDS, unit) || PLAIN_FIELDS.includes(field) ? at.get(field) : null;
  }

  const functions = {
    __proto__: null,
    beginningOf: (date, [unit = 'week', options]) => alike(date, (at) => at.startOf(unitName(unit), options)),
    endOfMonth: (date) => alike(date, (at) => at.endOf('month')),
    extract,
    format: (date, [pattern = '', options]) => dateTime(date).toFormat(pattern, options),
    isBetween,
    isDst: (date) => dateTime(date).isInDST,
    isInLast(date, [amount = 0, unit = 'minutes']) {
      const now = DateTime.now();
      return now.minus({ [unitName(unit)]: amount }) <= date && date <= now;
    },
    isWeekend: (date) => dateTime(date).weekday > 5,
    minus: (date, args) => alike(date, (at) => at.minus(span('minus', args))),
    plus: (date, args) => alike(date, (at) => at.plus(span('plus', args))),
    diffTo,
    diffToNow: (date, [unit]) => diffTo(date, [DateTime.now(), unit]),
    toDateTime: (date) => dateTime(date),
    toInt: (date) => date.valueOf(),
    toFloat: (date) => date.valueOf(),
    toNumber: (date) => date.valueOf(),
    toBoolean: () => undefined,
    toJsonString: (date) => JSON.stringify(date),
    isEmpty: () => false,
    isNotEmpty: () => true,
  };

  for (const type of [DateTime, Duration, Interval, Zone, IANAZone, FixedOffsetZone, SystemZone]) {
    Object.freeze(type.prototype);
    if (type !== IANAZone) Object.freeze(type);
  }
  return {
    DateTime,
    Duration,
    Interval,
    Settings,
    functions,
    parse,
    toDateTime,
    setZone,
    now: () => DateTime.now(),
    today: () => DateTime.now().set({ hour: 0, minute: 0, second: 0, millisecond: 0 }),
  };
};

const UNITS = ['milliseconds', 'seconds', 'minutes', 'hours', 'days', 'weeks', 'months', 'quarters', 'years'];

const unitName = (unit) => (unit === 'ms' ? 'millisecond' : unit);

// Fields of a date by the names that extract() takes beside luxon's own.
const FIELDS = {
  __proto__: null,
  ms: 'millisecond', milliseconds: 'millisecond', seconds: 'second', minutes: 'minute', hours: 'hour', days: 'day',
  week: 'weekNumber', weeks: 'weekNumber', isoWeek: 'weekNumber', months: 'month', quarters: 'quarter', years: 'year',
};

const PLAIN_FIELDS = [
  'millisecond', 'second', 'minute', 'hour', 'day', 'weekday', 'weekNumber', 'weekYear', 'month', 'quarter', 'year',
  'ordinal', 'offset', 'daysInMonth', 'daysInYear', 'weeksInWeekYear', 'localWeekday', 'localWeekNumber',
  'localWeekYear',
];
