// Methods of numbers.
export default (part, load) => {
  const { ExpressionExtensionError } = part('extend');

  const whole = (value, name) => {
    if (!Number.isInteger(value)) throw new ExpressionExtensionError(`${name}() is only callable on integers`);
    return value;
  };

  const functions = {
    __proto__: null,
    abs: (value) => Math.abs(value),
    ceil: (value) => Math.ceil(value),
    floor: (value) => Math.floor(value),
    round: (value, [places = 0]) => +value.toFixed(places),
    format: (value, [locales = 'en-US', options]) => new Intl.NumberFormat(locales, options).format(value),
    isInteger: (value) => Number.isInteger(value),
    isEven: (value) => whole(value, 'isEven') % 2 === 0,
    isOdd: (value) => Math.abs(whole(value, 'isOdd')) % 2 === 1,
    isEmpty: (value) => !value,
    isNotEmpty: (value) => !!value,
    toBoolean: (value) => value !== 0,
    toInt: (value) => Math.round(value),
    toFloat: (value) => value,
    toNumber: (value) => value,
    toJsonString: (value) => JSON.stringify(value),
    toDateTime(value, [unit = 'ms']) {
      const { DateTime } = part('dates');
      switch (unit) {
        case 'ms':
          return DateTime.fromMillis(value);
        case 's':
          return DateTime.fromSeconds(value);
        case 'us':
          return DateTime.fromMillis(Math.floor(value / 1000));
        case 'excel':
          return DateTime.fromMillis(Math.round((value - DAYS_FROM_EXCEL_TO_UNIX) * 86_400_000));
        default:
          throw new ExpressionExtensionError(
            `Unsupported format '${unit}'. toDateTime() supports 'ms', 's', 'us' and 'excel'.`,
          );
      }
    },
  };
  return { functions };
};

// Day 0 of spreadsheets is 1899-12-30 once their leap day of 1900 is counted.
const DAYS_FROM_EXCEL_TO_UNIX = 25_569;
