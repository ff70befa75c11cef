// Methods of booleans.
export default () => {
  const number = (value) => (value ? 1 : 0);
  const functions = {
    __proto__: null,
    isEmpty: (value) => !value,
    isNotEmpty: (value) => value,
    toBoolean: (value) => value,
    toInt: number,
    toFloat: number,
    toNumber: number,
    toDateTime: () => undefined,
    toJsonString: (value) => JSON.stringify(value),
  };
  return { functions };
};
