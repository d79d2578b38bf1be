//! The databases that there are, as the settings name them, and where each is kept.

/// The name of the first database, whose binding is `DB`.
pub const MAIN: &str = "main";

/// Where Cloudflare may be asked to put a database (D1's `--location`), and which laws it is to stay under (`--jurisdiction`). Either is
/// chosen when it is made, and never changed.
const LOCATIONS: [&str; 6] = ["wnam", "enam", "weur", "eeur", "apac", "oc"];
const JURISDICTIONS: [&str; 3] = ["eu", "us", "fedramp"];
/// Longest name of a database.
const MAX_NAME: usize = 20;

/// A database and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub name: String,
    pub location: Option<String>,
    pub jurisdiction: Option<String>,
}

impl Place {
    /// The first database, of which nothing else is said.
    pub fn main() -> Self {
        Place {
            name: MAIN.to_owned(),
            location: None,
            jurisdiction: None,
        }
    }

    /// Whether that is where it is kept: a location or a jurisdiction.
    pub fn is_in(&self, place: &str) -> bool {
        [&self.location, &self.jurisdiction]
            .into_iter()
            .any(|known| known.as_deref() == Some(place))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (name, place) = match text.split_once(':') {
            Some((name, place)) => (name, Some(place)),
            None => (text, None),
        };
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_name = name.len() <= MAX_NAME
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(letters);
        if !is_name {
            return Err(format!(
                "`{name}` is no name of a database: 1 to {MAX_NAME} lower-case letters and digits, a letter first"
            ));
        }
        let mut known = Place {
            name: name.to_owned(),
            ..Place::main()
        };
        match place.map(|place| place.split_once('=').unwrap_or((place, ""))) {
            None => {}
            Some(("location", value)) if LOCATIONS.contains(&value) => {
                known.location = Some(value.to_owned());
            }
            Some(("jurisdiction", value)) if JURISDICTIONS.contains(&value) => {
                known.jurisdiction = Some(value.to_owned());
            }
            Some(_) => {
                return Err(format!(
                    "`{text}`: write {name}:location= and one of {}, or {name}:jurisdiction= and one of {}",
                    LOCATIONS.join(", "),
                    JURISDICTIONS.join(", ")
                ));
            }
        }
        Ok(known)
    }
}

/// The databases that the variable `DATABASES` names beside the first one, as in `eu:jurisdiction=eu apac:location=apac`. The first one comes
/// first, whether it is named or not. The error says what is wrong.
pub fn parse(text: &str) -> Result<Vec<Place>, String> {
    let mut named: Vec<Place> = Vec::new();
    for part in text.split_whitespace() {
        let place = Place::parse(part)?;
        if named.iter().any(|known| known.name == place.name) {
            return Err(format!("the database `{}` is named twice", place.name));
        }
        named.push(place);
    }
    let (main, others): (Vec<_>, Vec<_>) = named.into_iter().partition(|place| place.name == MAIN);
    let main = main.into_iter().next().unwrap_or_else(Place::main);
    Ok(std::iter::once(main).chain(others).collect())
}
