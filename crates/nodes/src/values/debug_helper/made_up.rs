//! Made-up people, places and numbers.

use std::hash::Hasher;

use millrace_model::{Object, Value};
use rustc_hash::FxHasher;

const FIRST: [&str; 24] = [
    "Ada",
    "Alan",
    "Barbara",
    "Blaise",
    "Carl",
    "Chien",
    "Dorothy",
    "Edsger",
    "Emmy",
    "Frances",
    "George",
    "Grace",
    "Hedy",
    "Ida",
    "Jean",
    "John",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Sofia",
    "Tim",
    "Yukihiro",
];
const LAST: [&str; 24] = [
    "Allen",
    "Babbage",
    "Bartik",
    "Boole",
    "Dijkstra",
    "Gauss",
    "Goldberg",
    "Hamilton",
    "Hopper",
    "Johnson",
    "Kay",
    "Knuth",
    "Kovalevskaya",
    "Lamarr",
    "Lamport",
    "Lovelace",
    "Matsumoto",
    "Neumann",
    "Noether",
    "Pascal",
    "Perlman",
    "Shannon",
    "Turing",
    "Wirth",
];
const STREETS: [&str; 8] =
    ["Oak Street", "Mill Lane", "High Street", "Station Road", "Park Avenue", "Church Way", "River Walk", "Hill Drive"];
const CITIES: [&str; 8] =
    ["Springfield", "Riverton", "Fairview", "Lakeside", "Greenville", "Ashford", "Milton", "Weston"];
const STATES: [&str; 8] = ["Ohio", "Maine", "Texas", "Idaho", "Iowa", "Utah", "Kansas", "Oregon"];
const HOSTS: [&str; 4] = ["example.com", "example.org", "example.net", "mail.example"];

/// A small generator (SplitMix64): good enough for data nobody relies on.
pub(super) struct Maker(u64);

impl Maker {
    pub(super) fn new(state: u64) -> Maker {
        Maker(state)
    }

    pub(super) fn seeded(seed: &str) -> Maker {
        let mut hasher = FxHasher::default();
        hasher.write(seed.as_bytes());
        Maker(hasher.finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        let at = self.below(u64::try_from(list.len()).unwrap_or(1));
        list.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or_default()
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let count = u64::try_from(letters.len()).unwrap_or(1);
        let mut letter = || letters.get(usize::try_from(self.below(count)).unwrap_or(0)).copied();
        (0..length).filter_map(|_| letter()).collect()
    }

    fn uuid(&mut self) -> String {
        let bytes = (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// An entry of a kind that the node offers.
    pub(super) fn entry(&mut self, kind: &str, alphabet: &str, length: usize) -> Object {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        match kind {
            "address" => self.address(),
            "coordinates" | "latLong" => self.coordinates(),
            "creditCard" => self.credit_card(),
            "email" => {
                let email = self.email();
                Object::from([("email", email.into()), ("confirmed", (self.below(2) == 0).into())])
            }
            "ipv4" => single("ip", self.joined(4, ".", |maker| maker.below(256).to_string())),
            "ipv6" => single("ipv6", self.joined(8, ":", |maker| format!("{:04x}", maker.below(65536)))),
            "macAddress" => single("mac", self.joined(6, ":", |maker| format!("{:02x}", maker.below(256)))),
            "nanoid" | "nanoId" | "nanoids" => {
                let alphabet = if alphabet.is_empty() { LETTERS } else { alphabet };
                let text = self.text(alphabet, length);
                Object::from([
                    ("nanoId", text.into()),
                    ("customAlphabet", alphabet.into()),
                    ("customLength", length.into()),
                ])
            }
            "url" => single("url", format!("https://{}/{}", self.pick(&HOSTS), self.text("abcdefghij", 8))),
            "uuid" => single("uuid", self.uuid()),
            "version" | "semver" => single("version", self.joined(3, ".", |maker| maker.below(20).to_string())),
            _ => self.user(LETTERS),
        }
    }

    fn joined(&mut self, count: usize, separator: &str, mut part: impl FnMut(&mut Maker) -> String) -> String {
        (0..count).map(|_| part(self)).collect::<Vec<_>>().join(separator)
    }

    fn email(&mut self) -> String {
        format!("{}.{}@{}", self.pick(&FIRST).to_lowercase(), self.pick(&LAST).to_lowercase(), self.pick(&HOSTS))
    }

    fn user(&mut self, letters: &str) -> Object {
        Object::from([
            ("uid", self.uuid().into()),
            ("email", self.email().into()),
            ("firstname", self.pick(&FIRST).into()),
            ("lastname", self.pick(&LAST).into()),
            ("password", self.text(letters, 10).into()),
        ])
    }

    fn address(&mut self) -> Object {
        Object::from([
            ("firstname", self.pick(&FIRST).into()),
            ("lastname", self.pick(&LAST).into()),
            ("street", format!("{} {}", self.below(200) + 1, self.pick(&STREETS)).into()),
            ("city", self.pick(&CITIES).into()),
            ("zip", format!("{:05}", self.below(100_000)).into()),
            ("state", self.pick(&STATES).into()),
            ("country", "United States".into()),
        ])
    }

    fn coordinates(&mut self) -> Object {
        let mut degrees = |limit: u32| {
            let millionths = self.below(u64::from(limit) * 2_000_000);
            Value::from(millionths).as_f64().unwrap_or(0.0) / 1_000_000.0 - f64::from(limit)
        };
        let place = Object::from([("latitude", degrees(90).into()), ("longitude", degrees(180).into())]);
        Object::from([("coordinates", place.into())])
    }

    fn credit_card(&mut self) -> Object {
        let holder = format!("{} {}", self.pick(&FIRST), self.pick(&LAST));
        Object::from([
            ("type", self.pick(&["VISA", "MASTERCARD"]).into()),
            ("number", self.joined(4, "-", |maker| format!("{:04}", maker.below(10_000))).into()),
            ("ccv", format!("{:03}", self.below(1000)).into()),
            ("exp", format!("{:02}/{:02}", self.below(12) + 1, 25 + self.below(8)).into()),
            ("holder_name", holder.into()),
        ])
    }
}

fn single(name: &str, value: String) -> Object {
    Object::from([(name, value.into())])
}
