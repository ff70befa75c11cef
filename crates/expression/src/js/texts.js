// Bytes and their texts in scripts: the parts of Node's Buffer that scripts use, `atob`, `btoa`.
(function (G) {
  'use strict';
  const { Array, Error, String, Uint8Array, parseInt } = G;

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
  const btoa = (text) => encode([...String(text)].map((letter) => {
    const code = letter.charCodeAt(0);
    if (code > 255) throw new Error('Invalid character');
    return code;
  }));
  const atob = (text) => latin1(decode(text));
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return new Uint8Array(toUtf8(text)); }
  }
  class TextDecoder {
    constructor(encoding = 'utf-8') { this.encoding = String(encoding).toLowerCase(); }
    decode(bytes = []) {
      const view = bytes instanceof G.ArrayBuffer ? new Uint8Array(bytes) : bytes;
      return /^utf-?8$/.test(this.encoding) ? fromUtf8(view).replace(/^\ufeff/, '') : latin1(view);
    }
  }
  return { Buffer, TextEncoder, TextDecoder, encode, decode, atob, btoa };
})
