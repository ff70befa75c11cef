// Parts of the realm that few runs need: values and errors that leave in an unusual form, AI tools, custom data.
(function (h, base) {
  'use strict';
  const { G, Promise, view, fail } = base;
  const { Object, Map, Set, Error, Number, String, Boolean, Date, RegExp } = G;
  const { freeze, keys } = Object;
  const NOT_FOUND = -1;

  const fromAI = (name, description, type, fallback) => {
    if (name === undefined || name === '') fail("Add a key, e.g. $fromAI('placeholder_name')");
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
      fail('Invalid parameter key, must be between 1 and 64 characters long and only contain lowercase letters, uppercase letters, numbers, underscores, and hyphens');
    }
    const list = h.inputOrNone();
    const item = list === NOT_FOUND ? undefined : view(list, h.itemIndex());
    const given = h.agentItem() ?? item?.json;
    if (given === undefined) fail('No execution data available');
    const source = given.query ?? given;
    const value = source[name];
    return value === undefined ? fallback : value;
  };

  // The tool an AI agent calls: its name and parameters.
  const tool = () => {
    const known = h.extra('$tool');
    const given = h.agentItem();
    if (given === undefined) return known;
    return { ...known, name: given.tool ?? known?.name, parameters: given.parameters ?? given.query ?? known?.parameters };
  };

  const customData = freeze({
    set: (key, value) => h.setCustomData(String(key), value),
    setAll(values) { for (const key of keys(values)) customData.set(key, values[key]); },
    get: (key) => h.customData()[key],
    getAll: () => h.customData(),
  });

  const getPairedItem = (name, source, pairedItem) => {
    const found = h.pairedFrom(String(name), source, pairedItem);
    return found === undefined ? null : view(found[0], found[1]);
  };

  // ---- values that leave ----
  const isLuxon = (value, kind) => value['isLuxon' + kind] === true;
  // A value that is no plain object or array, as JSON has it (`tagged`: with its type beside it).
  const plain = (value, tagged) => {
    if (value instanceof Date) {
      const iso = Number.isNaN(value.getTime()) ? null : value.toISOString();
      return tagged ? { $type: 'Date', iso } : iso;
    }
    if (isLuxon(value, 'DateTime')) {
      return tagged ? { $type: 'DateTime', iso: value.toISO(), zone: value.zoneName, valid: value.isValid } : value.toISO();
    }
    if (isLuxon(value, 'Duration')) return tagged ? { $type: 'Duration', iso: value.toISO() } : value.toISO();
    if (isLuxon(value, 'Interval')) return tagged ? { $type: 'Interval', iso: value.toISO() } : value.toISO();
    if (value instanceof RegExp) return tagged ? { $type: 'RegExp', value: String(value) } : {};
    if (value instanceof Error) {
      return tagged ? { $type: 'Error', name: value.name, message: value.message }
        : { ...value, name: value.name, message: value.message };
    }
    if (value instanceof Map) return tagged ? { $type: 'Map', value: [...value] } : {};
    if (value instanceof Set) return tagged ? { $type: 'Set', value: [...value] } : {};
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return value.valueOf();
    if (typeof value.toJSON === 'function') return value.toJSON();
    if (value instanceof Promise) return {};
    const copy = {};
    for (const key of keys(value)) copy[key] = value[key];
    return copy;
  };

  // ---- errors that leave ----
  const EXPRESSION_ERROR = /^Expression\w*Error$/;
  const describe = (thrown, everything) => {
    if (thrown === null || typeof thrown !== 'object') {
      return everything ? { name: 'Error', message: String(thrown) } : undefined;
    }
    const name = typeof thrown.name === 'string' ? thrown.name : 'Error';
    if (!everything && name !== 'InternalError' && !EXPRESSION_ERROR.test(name)) return undefined;
    const text = (value) => (value === undefined || value === null ? undefined : String(value));
    return {
      name,
      message: text(thrown.message) ?? '',
      description: text(thrown.description),
      context: thrown.context !== null && typeof thrown.context === 'object' ? thrown.context : undefined,
      stack: text(thrown.stack),
      httpCode: text(thrown.httpCode),
      messages: G.Array.isArray(thrown.messages) ? thrown.messages.map(String) : undefined,
    };
  };

  const process = () => ({ ...PROCESS, env: h.env() });

  return { process, fromAI, tool, customData, getPairedItem, plain, describe, wellFormed: (text) => text.toWellFormed() };
})
