//! The grammar of filters (RFC 7644 §3.4.2.2): a filter written down as precedence allows is read back as it was meant, and no
//! text whatever makes the parser fail otherwise than by naming a place in it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rollcall::scim::error::ScimType;
use rollcall::scim::filter::parse::parse;
use rollcall::scim::filter::{Filter, Literal, Operator, Path};
use rollcall::scim::profile::Profile;
use serde_json::Value;

const OPERATORS: [Operator; 9] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Contains,
    Operator::StartsWith,
    Operator::EndsWith,
    Operator::Greater,
    Operator::GreaterOrEqual,
    Operator::Less,
    Operator::LessOrEqual,
];

fn path() -> impl Strategy<Value = Path> {
    let paths = [
        "a",
        "userName",
        "name.givenName",
        "or",
        "and",
        "pr",
        "eq",
        "members.$ref",
        "x-y_z9",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    ];
    (0..paths.len()).prop_map(move |index| Path {
        text: paths[index].to_owned(),
        at: 0,
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(|number| Literal::Number(number.to_string())),
        (-1e9..1e9).prop_map(|number: f64| Literal::Number(number.to_string())),
        any::<String>().prop_map(Literal::Text),
        r#"[()\[\]"\\ 'andornot.]{0,12}"#.prop_map(Literal::Text),
    ]
}

/// Trees that the parser makes: conjunctions and disjunctions of two or more, a value path never inside another.
fn filter() -> impl Strategy<Value = Filter> {
    let term = prop_oneof![
        3 => (path(), 0..OPERATORS.len(), literal())
            .prop_map(|(path, operator, literal)| Filter::Compare(path, OPERATORS[operator], literal)),
        1 => path().prop_map(Filter::Present),
    ];
    let within = joined(term.clone().boxed(), 2);
    let term = prop_oneof![
        4 => term,
        1 => (path(), within).prop_map(|(path, inner)| Filter::Element(path, Box::new(inner))),
    ];
    joined(term.boxed(), 4)
}

fn joined(term: BoxedStrategy<Filter>, depth: u32) -> impl Strategy<Value = Filter> {
    term.prop_recursive(depth, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Filter::And),
            vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

/// How a filter is written: spaces, the case of words, parentheses that change nothing.
#[derive(Debug, Clone)]
struct Hand {
    style: Vec<u8>,
}

impl Hand {
    fn next(&mut self) -> u8 {
        self.style.rotate_left(1);
        self.style[0]
    }

    fn space(&mut self) -> &'static str {
        [" ", "  ", "\t", " \r\n "][usize::from(self.next() % 4)]
    }

    fn word(&mut self, word: &str) -> String {
        match self.next() % 3 {
            0 => word.to_ascii_uppercase(),
            _ => word.to_owned(),
        }
    }

    /// Writes a filter where what binds less tightly than `binding` needs parentheses: 0 for `or`, 1 for `and`, 2 for a term.
    fn write(&mut self, filter: &Filter, binding: u8) -> String {
        let (own, text) = match filter {
            Filter::Or(all) => (0, self.junction(all, "or", 1)),
            Filter::And(all) => (1, self.junction(all, "and", 2)),
            Filter::Not(inner) => {
                let inner = self.write(inner, 0);
                (2, format!("{}{}({inner})", self.word("not"), self.space()))
            }
            Filter::Present(path) => (
                2,
                format!("{}{}{}", path.text, self.space(), self.word("pr")),
            ),
            Filter::Compare(path, operator, literal) => {
                let operator = self.word(operator.name());
                let literal = written(literal);
                (
                    2,
                    format!(
                        "{}{}{operator}{}{literal}",
                        path.text,
                        self.space(),
                        self.space()
                    ),
                )
            }
            Filter::Element(path, inner) => (2, format!("{}[{}]", path.text, self.write(inner, 0))),
        };
        match own < binding || self.next().is_multiple_of(8) {
            true => format!("({text})"),
            false => text,
        }
    }

    fn junction(&mut self, all: &[Filter], word: &str, binding: u8) -> String {
        let mut text = String::new();
        for (index, one) in all.iter().enumerate() {
            if index > 0 {
                text = format!("{text}{}{}{}", self.space(), self.word(word), self.space());
            }
            text.push_str(&self.write(one, binding));
        }
        text
    }
}

fn written(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(flag) => flag.to_string(),
        Literal::Number(number) => number.clone(),
        Literal::Text(text) => Value::from(text.as_str()).to_string(),
    }
}

/// The filter without places, and with what a parser cannot tell from its text made one: `and` inside `and`.
fn bared(filter: &Filter) -> Filter {
    let all = |filters: &[Filter]| filters.iter().map(bared).collect::<Vec<_>>();
    let path = |path: &Path| Path {
        text: path.text.clone(),
        at: 0,
    };
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(inner) => Filter::Not(Box::new(bared(inner))),
        Filter::Present(found) => Filter::Present(path(found)),
        Filter::Compare(found, operator, literal) => {
            Filter::Compare(path(found), *operator, literal.clone())
        }
        Filter::Element(found, inner) => Filter::Element(path(found), Box::new(bared(inner))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7_644),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_written_down_is_read_back(filter in filter(), style in vec(any::<u8>(), 5..40)) {
        let text = Hand { style }.write(&filter, 0);
        for profile in [Profile::Compat, Profile::Strict] {
            match parse(&text, profile) {
                Ok(read) => prop_assert_eq!(bared(&read), filter.clone(), "{}", text),
                Err(error) => prop_assert!(too_large(&error.detail), "{}\n{}", error, text),
            }
        }
    }

    #[test]
    fn no_text_is_refused_without_a_place_in_it(text in any::<String>()) {
        refused_at_a_place(&text)?;
    }

    #[test]
    fn no_cut_of_a_filter_is_refused_without_a_place_in_it(
        filter in filter(),
        style in vec(any::<u8>(), 5..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = Hand { style }.write(&filter, 0);
        let characters: Vec<char> = text.chars().collect();
        let at = cut.index(characters.len());
        refused_at_a_place(&characters[..at].iter().collect::<String>())?;
        refused_at_a_place(&characters[at..].iter().collect::<String>())?;
    }
}

fn too_large(detail: &str) -> bool {
    detail.contains("comparisons") || detail.contains("nested") || detail.contains("bytes long")
}

fn refused_at_a_place(text: &str) -> Result<(), TestCaseError> {
    let Err(error) = parse(text, Profile::Compat) else {
        return Ok(());
    };
    prop_assert_eq!(error.scim_type, ScimType::InvalidFilter);
    if too_large(&error.detail) {
        return Ok(());
    }
    let place = error.detail.split("position ").nth(1).unwrap_or_default();
    let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
    let place: usize = digits
        .parse()
        .map_err(|_| TestCaseError::fail(error.detail.clone()))?;
    prop_assert!((1..=text.len() + 1).contains(&place), "{}", error.detail);
    prop_assert!(text.is_char_boundary(place - 1), "{}", error.detail);
    Ok(())
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    let present = |name: &str| {
        Filter::Present(Path {
            text: name.to_owned(),
            at: 0,
        })
    };
    let parsed = parse("a pr or not (b pr) and c pr or d pr", Profile::Strict).expect("a filter");
    let not_b = Filter::Not(Box::new(present("b")));
    assert_eq!(
        bared(&parsed),
        Filter::Or(vec![
            present("a"),
            Filter::And(vec![not_b, present("c")]),
            present("d")
        ])
    );
}
