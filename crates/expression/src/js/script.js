// What only scripts (Code and Function nodes) get, on top of the realm.
(function (h, base) {
  'use strict';
  const G = globalThis;
  const { Object, Array, JSON, Map, String, Number, Error, Promise, Uint8Array, parseInt, TypeError } = G;
  const { defineProperty, keys, freeze } = Object;
  const { view, all, fail } = base;
  const put = (name, value) => defineProperty(G, name, { value, enumerable: false, configurable: true, writable: true });

  // ---- console ----
  const shown = (value) => {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.stack ? value.name + ': ' + value.message + '\n' + value.stack : String(value);
    try {
      const text = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) + 'n' : inner), 2);
      return text === undefined ? String(value) : text;
    } catch {
      return String(value);
    }
  };
  const log = (...values) => { h.log(values.map(shown).join(' ')); };
  put('console', { log, info: log, warn: log, error: log, debug: log, trace: log, dir: log });

  // ---- timers: only as far as `await new Promise((done) => setTimeout(done, 100))` ----
  let timers = [];
  let timerCount = 0;
  put('setTimeout', (run, delay, ...given) => {
    if (typeof run !== 'function') throw new TypeError('The "callback" argument must be of type function');
    const id = ++timerCount;
    timers.push({ id, run, given, at: Math.max(Number(delay) || 0, 0) });
    return id;
  });
  put('clearTimeout', (id) => { timers = timers.filter((timer) => timer.id !== id); });
  put('setImmediate', (run, ...given) => G.setTimeout(run, 0, ...given));
  const { Math } = G;

  // ---- texts ----
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const encode = (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const [a, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
      text += LETTERS[a >> 2] + LETTERS[((a & 3) << 4) | (b >> 4)]
        + (b === undefined ? '=' : LETTERS[((b & 15) << 2) | (c >> 6)]) + (c === undefined ? '=' : LETTERS[c & 63]);
    }
    return text;
  };
  const decode = (text) => {
    const bytes = [];
    let bits = 0;
    let held = 0;
    for (const letter of String(text).replace(/-/g, '+').replace(/_/g, '/')) {
      const value = LETTERS.indexOf(letter);
      if (value < 0) continue;
      held = ((held << 6) | value) & 0xffffff;
      bits += 6;
      if (bits >= 8) { bits -= 8; bytes.push((held >> bits) & 255); }
    }
    return bytes;
  };
  const toUtf8 = (text) => {
    const bytes = [];
    for (const letter of String(text)) {
      const code = letter.codePointAt(0);
      if (code < 0x80) bytes.push(code);
      else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
      else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
      else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
    return bytes;
  };
  const fromUtf8 = (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length;) {
      const first = bytes[i];
      const size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      let code = size <= 1 ? first : first & (0xff >> (size + 1));
      let valid = size > 0 && i + size <= bytes.length;
      for (let k = 1; valid && k < size; k++) {
        valid = (bytes[i + k] & 0xc0) === 0x80;
        code = (code << 6) | (bytes[i + k] & 63);
      }
      text += valid && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      i += valid ? size : 1;
    }
    return text;
  };
  const latin1 = (bytes) => { let text = ''; for (const byte of bytes) text += String.fromCharCode(byte); return text; };
  const fromText = (text, encoding = 'utf8') => {
    switch (String(encoding).toLowerCase()) {
      case 'base64': case 'base64url': return decode(text);
      case 'hex': return (String(text).match(/[0-9a-f]{2}/gi) ?? []).map((pair) => parseInt(pair, 16));
      case 'latin1': case 'binary': case 'ascii': return [...String(text)].map((letter) => letter.charCodeAt(0) & 255);
      default: return toUtf8(text);
    }
  };
  class Buffer extends Uint8Array {
    static from(value, encoding) {
      const bytes = typeof value === 'string' ? fromText(value, encoding) : Array.isArray(value?.data) ? value.data : value;
      const made = new Buffer(bytes.length ?? bytes.byteLength);
      made.set(bytes instanceof G.ArrayBuffer ? new Uint8Array(bytes) : bytes);
      return made;
    }
    static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(text, encoding) { return fromText(text, encoding).length; }
    static concat(list) {
      const made = new Buffer(list.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of list) { made.set(part, at); at += part.length; }
      return made;
    }
    toString(encoding = 'utf8') {
      switch (String(encoding).toLowerCase()) {
        case 'base64': return encode(this);
        case 'base64url': return encode(this).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
        case 'hex': return [...this].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        case 'latin1': case 'binary': case 'ascii': return latin1(this);
        default: return fromUtf8(this);
      }
    }
    toJSON() { return { type: 'Buffer', data: [...this] }; }
  }
  put('Buffer', Buffer);
  put('btoa', (text) => encode([...String(text)].map((letter) => {
    const code = letter.charCodeAt(0);
    if (code > 255) throw new Error('Invalid character');
    return code;
  })));
  put('atob', (text) => latin1(decode(text)));

  // ---- the outside ----
  const call = (name) => async (...given) => h.callHost(name, given);
  const helpers = freeze({
    httpRequest: call('httpRequest'),
    httpRequestWithAuthentication: call('httpRequestWithAuthentication'),
    request: call('request'),
    requestWithAuthentication: call('requestWithAuthentication'),
    requestOAuth2: call('requestOAuth2'),
    prepareBinaryData: (content, fileName, mimeType) => call('prepareBinaryData')(
      typeof content === 'string' ? Buffer.from(content).toString('base64') : encode(new Uint8Array(content)), fileName, mimeType),
    getBinaryDataBuffer: async (index, name) => Buffer.from(h.callHost('getBinaryDataBuffer', [index, name]), 'base64'),
    setBinaryDataBuffer: (description, content) => call('setBinaryDataBuffer')(description, encode(content)),
    returnJsonArray: (data) => (Array.isArray(data) ? data : [data]).map((json) => (json && json.json ? json : { json })),
    normalizeItems: (data) => (Array.isArray(data) ? data : [data]).map((json) => (json && json.json ? json : { json })),
  });
  put('require', (name) => { throw new Error("Cannot find module '" + name + "'"); });
  base.define({ process: () => ({ ...PROCESS, env: h.env() }) });

  // ---- static data: live objects, read back when the script has ended ----
  let statics = new Map();
  const staticData = (type) => {
    if (type !== 'global' && type !== 'node') {
      throw new Error('The type "' + type + '" is not supported! Only "global" and "node" are.');
    }
    const key = type === 'global' ? 'global' : 'node:' + h.nodeNames()[h.activeNode()];
    let data = statics.get(key);
    if (data === undefined) {
      data = { before: h.staticData(key), live: h.staticData(key) };
      statics.set(key, data);
    }
    return data.live;
  };
  const changedStatics = () => {
    const changed = {};
    for (const [key, data] of statics) {
      if (JSON.stringify(data.live) !== JSON.stringify(data.before)) changed[key] = data.live;
    }
    statics = new Map();
    return changed;
  };

  const INPUT = () => h.inputOrNone();
  const context = {
    helpers,
    getWorkflowStaticData: staticData,
    getInputData: () => all(INPUT()),
    getMode: () => h.mode(),
    getWorkflow: () => h.workflow(),
    getNode: () => ({ name: h.nodeNames()[h.activeNode()], ...h.nodeInfo() }),
    getExecutionId: () => h.execution().id,
    getTimezone: () => G.DateTime.now().zoneName,
    evaluateExpression: (text, index) => h.evaluateFor(text, h.activeNode(), index),
    getNodeParameter(name, index, fallback) {
      const value = String(name).split('.').reduce((parent, key) => (parent === undefined || parent === null ? undefined : parent[key]),
        G.$parameter);
      return value === undefined ? (fallback === undefined && typeof index !== 'number' ? index : fallback) : value;
    },
  };
  put('helpers', helpers);
  put('$getWorkflowStaticData', staticData);
  put('getWorkflowStaticData', staticData);
  put('getNodeParameter', context.getNodeParameter);
  put('$getNodeParameter', context.getNodeParameter);
  put('$helpers', helpers);

  // Begins a script; `state` says how it went once the jobs have run.
  const start = (run, kind) => {
    timers = [];
    const index = h.itemIndex();
    put('items', undefined);
    put('item', undefined);
    let own = context;
    if (kind === 0 || kind === 2) put('items', all(INPUT()));
    if (kind === 1) {
      put('item', view(INPUT(), index));
    }
    if (kind === 3) {
      const whole = view(INPUT(), index);
      put('item', whole.json);
      put('index', index);
      own = {
        ...context,
        getBinaryData: () => whole.binary,
        setBinaryData(data) { whole.binary = data; state.binary = data; },
      };
      put('getBinaryData', own.getBinaryData);
      put('setBinaryData', own.setBinaryData);
    }
    const state = { done: false, failed: false, value: undefined, binary: undefined };
    run.call(own).then(
      (value) => { state.value = value; state.done = true; },
      (error) => { state.value = error; state.failed = true; state.done = true; },
    );
    return state;
  };
  // Milliseconds until the next timer, or -1; then `fire` runs it.
  const next = () => timers.reduce((least, timer) => (least < 0 || timer.at < least ? timer.at : least), -1);
  const fire = () => {
    const delay = next();
    const at = timers.findIndex((timer) => timer.at === delay);
    const [timer] = timers.splice(at, 1);
    for (const other of timers) other.at -= delay;
    timer.run(...timer.given);
  };
  return { start, next, fire, changedStatics, forget() { base.forget(); } };
})
