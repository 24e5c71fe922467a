//! The parameters of a request, from a query or a form: `application/x-www-form-urlencoded`.

use std::fmt;

use crate::broker::FieldViolation;

/// The parameters of a request, decoded. They hold secrets: they do not print.
pub(super) struct Parameters(Vec<(String, String)>);

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Parameters {
    /// Decodes a query or a form. Every text can be decoded; bytes that are not UTF-8 become U+FFFD, which no name
    /// and no secret of ours holds.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The value of a parameter that may be there once. An empty value counts as none (RFC 6749, section 3.1).
    ///
    /// # Errors
    /// It is there more than once: which of the two counts would be a guess.
    pub(super) fn at_most_once<'a>(
        &'a self,
        name: &str,
    ) -> Result<Option<&'a str>, FieldViolation> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(FieldViolation {
                field: name.to_owned(),
                description: "is there more than once: send it once".to_owned(),
            }),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The value of a parameter that must be there once.
    ///
    /// # Errors
    /// It is missing, empty, or there more than once; `remedy` says what to send.
    pub(super) fn once<'a>(&'a self, name: &str, remedy: &str) -> Result<&'a str, FieldViolation> {
        self.at_most_once(name)?.ok_or_else(|| FieldViolation {
            field: name.to_owned(),
            description: format!("is missing: {remedy}"),
        })
    }

    /// All values of a parameter that may be repeated.
    pub(super) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_may_be_there_once_is_refused_twice() {
        let parameters = Parameters::parse(b"service=a&service=a&account=&x=1");
        let violation = parameters.at_most_once("service").unwrap_err();
        assert_eq!(
            (violation.field.as_str(), violation.description.as_str()),
            ("service", "is there more than once: send it once")
        );
        assert_eq!(parameters.at_most_once("account"), Ok(None));
        assert_eq!(parameters.once("x", ""), Ok("1"));
        assert!(parameters.once("account", "send it").is_err());
    }

    #[test]
    fn secrets_do_not_print() {
        let parameters = Parameters::parse(b"password=hunter2");
        assert_eq!(format!("{parameters:?}"), "[\"password\"]");
    }
}
