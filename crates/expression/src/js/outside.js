// What scripts may ask of the node that runs them: helpers, static data, the console.
(function (h, base, texts) {
  'use strict';
  const { G } = base;
  const { Array, Error, JSON, Map, String, Uint8Array } = G;
  const { freeze } = G.Object;

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
  const console = { log, info: log, warn: log, error: log, debug: log, trace: log, dir: log };

  // ---- helpers ----
  const call = (name) => async (...given) => h.callHost(name, given);
  const asItems = (data) => (Array.isArray(data) ? data : [data]).map((json) => (json && json.json ? json : { json }));
  const helpers = freeze({
    httpRequest: call('httpRequest'),
    httpRequestWithAuthentication: call('httpRequestWithAuthentication'),
    request: call('request'),
    requestWithAuthentication: call('requestWithAuthentication'),
    requestOAuth2: call('requestOAuth2'),
    prepareBinaryData: async (content, fileName, mimeType) => h.callHost('prepareBinaryData', [
      typeof content === 'string' ? texts().Buffer.from(content).toString('base64') : texts().encode(new Uint8Array(content)),
      fileName, mimeType,
    ]),
    getBinaryDataBuffer: async (index, name) => texts().Buffer.from(h.callHost('getBinaryDataBuffer', [index, name]), 'base64'),
    setBinaryDataBuffer: async (description, content) => h.callHost('setBinaryDataBuffer', [description, texts().encode(content)]),
    returnJsonArray: asItems,
    normalizeItems: asItems,
  });

  // ---- static data: live objects, read back when the script has ended ----
  let statics = new Map();
  const getWorkflowStaticData = (type) => {
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

  const context = {
    helpers,
    getWorkflowStaticData,
    getInputData: () => base.all(h.inputOrNone()),
    getMode: () => h.mode(),
    getWorkflow: () => h.workflow(),
    getNode: () => ({ name: h.nodeNames()[h.activeNode()], ...h.nodeInfo() }),
    getExecutionId: () => h.execution().id,
    getTimezone: () => G.DateTime.now().zoneName,
    evaluateExpression: (text) => h.evaluateFor(text, h.activeNode()),
    getNodeParameter(name, index, fallback) {
      const value = String(name).split('.').reduce((parent, key) => parent?.[key], base.names.$parameter);
      return value === undefined ? (fallback === undefined && typeof index !== 'number' ? index : fallback) : value;
    },
  };
  return { console, context, changedStatics };
})
