// Methods of strings that look into prose: addresses, markup, letter case.
export default () => {
  const isEmail = (value) => !/\s/.test(value) && EMAIL.test(value) && EMAIL.exec(value)[0] === value;

  function extractDomain(value) {
    if (isEmail(value)) return value.slice(value.lastIndexOf('@') + 1);
    return ADDRESS.exec(value)?.groups.host;
  }

  function extractUrlPath(value) {
    const found = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#]+(?<path>\/[^?#]*)?/i.exec(value.trim());
    return found ? encodeURI(found.groups.path ?? '/').replaceAll('%25', '%') : undefined;
  }

  function toSentenceCase(value) {
    let found = '';
    for (const [sentence] of value.matchAll(/[^!?.]*[!?.]?/g))
      found += sentence.toLocaleLowerCase().replace(/\p{L}/u, (letter) => letter.toLocaleUpperCase());
    return found;
  }

  function toTitleCase(value) {
    const words = [...value.matchAll(/[^\s:–—-]+/g)];
    return value.replace(/[^\s:–—-]+/g, (word, at) => {
      const inner = at > words[0].index && at < words.at(-1).index;
      if (/.[A-Z]|.\../.test(word) || (inner && MINOR_WORD.test(word))) return word;
      if (value[at + word.length] === ':' && /\S/.test(value[at + word.length + 1] ?? ' ')) return word;
      return word.replace(/[A-Za-z\d\u00c0-\u00ff]/, (letter) => letter.toUpperCase());
    });
  }

  return {
    isEmail,
    isDomain: (value) => DOMAIN.test(value),
    isUrl: (value) => URL_WHOLE.test(value),
    extractEmail: (value) => EMAIL.exec(value)?.[0],
    extractDomain,
    extractUrl: (value) => URL_INSIDE.exec(value)?.[0],
    extractUrlPath,
    removeMarkdown,
    removeTags: (value) => value.replace(/<[^>]*>?/g, ''),
    toSentenceCase,
    toSnakeCase: (value) =>
      value
        .toLocaleLowerCase()
        .replace(/[ -]/g, '_')
        .replace(/[!"#$%&'()*+,./:;<=>?@[\]^`{|}~\\]/g, ''),
    toTitleCase,
  };
};

const LABELS = String.raw`(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+`;
const TOP_LEVEL = String.raw`(?:xn--[a-z\d-]+|[a-z]{2,63})`;
const NAME = LABELS + TOP_LEVEL;
const HOST = String.raw`(?:${NAME}|localhost|\d{1,3}(?:\.\d{1,3}){3})`;
const TAIL = String.raw`(?::\d+)?(?:\/[^\s?#]*)?(?:\?[^\s#]*)?(?:#\S*)?`;
const URL_TEXT = String.raw`(?:https?|ftp|file):\/\/(?:[^\s/?#@:]+(?::[^\s/?#@]*)?@)?${HOST}${TAIL}`;
const URL_WHOLE = new RegExp(`^${URL_TEXT}$`, 'i');
const URL_INSIDE = new RegExp(URL_TEXT, 'i');
const DOMAIN = new RegExp(String.raw`^(?:(?:[\w-]+\.)+${TOP_LEVEL}|localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?$`, 'i');
const ADDRESS = new RegExp(
  `^(?:(?:https?|ftp|file):\\/\\/|mailto:|\\/\\/)?(?:[^\\s/?#@:]+(?::[^\\s/?#@]*)?@)?(?<host>${HOST})${TAIL}$`,
  'i',
);
const EMAIL = new RegExp(
  String.raw`(?:[^\s<>()[\]\\.,;:@"]+(?:\.[^\s<>()[\]\\.,;:@"]+)*|"[^"\r\n]+")@(?:\[\d{1,3}(?:\.\d{1,3}){3}\]|(?:[a-z\d-]+\.)+[a-z]{2,})`,
  'i',
);

// Articles, conjunctions and short prepositions stay small inside a title.
const MINOR_WORD =
  /^(?:an?|and|as|at|because|but|by|en|for|if|in|neither|nor|of|on|only|or|over|per|so|some|than|that|the|to|up|upon|vs?\.?|versus|via|when|with|without|yet)$/i;

// In this order: each step sees the text that the ones before it left.
const MARKUP = [
  [/^([\s\t]*)(?:[*\-+]|\d+\.)\s+/gm, '$1'], // list marker
  [/\n={2,}/g, '\n'], // underlined heading
  [/~~/g, ''], // strike-through
  [/`{3}.*\n/g, ''], // code fence
  [/<[^>]*>/g, ''], // tags
  [/^[=-]{2,}\s*$/g, ''], // thematic break that is all of the text
  [/\[\^.+?\](?:: .*?$)?/g, ''], // footnote
  [/\s{0,2}\[.*?\]: .*?$/g, ''], // link definition
  [/!\[.*?\][[(].*?[\])]/g, ''], // image
  [/\[(.*?)\][[(].*?[\])]/g, '$1'], // link
  [/>/g, ''], // quotation
  [/^#{1,6}\s*([^#]*)\s*(?:#{1,6})?/gm, '$1'], // heading
  [/([*_]{1,3})(\S.*?\S)\1/g, '$2'], // emphasis of two characters or more
  [/(`{3,})(.*?)\1/gm, '$2'],
  [/`(.+?)`/g, '$1'], // code
  [/\n{2,}/g, '\n\n'],
];

function removeMarkdown(value) {
  return MARKUP.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), value);
}
