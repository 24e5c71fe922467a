//! The conditions of a federated credential as bytes: small, and read from the first to the last.
//!
//! Each condition is the number of its claim's name or [`SUBJECT`], the number of accepted values, and these: a kind, and for a
//! text its length in two bytes and the text, for an integer its eight bytes. What cannot be written so has no code.

use serde_json::Value;

use super::names::Names;
use crate::identity::Workload;
use crate::model::{Accepted, Claim, FederatedCredential, Glob};

const SUBJECT: u8 = u8::MAX;

/// The kinds of accepted values.
const TEXT: u8 = 0;
/// A text, then any run of characters except `/` and `:`.
const RUN: u8 = 1;
/// A text, then any run.
const RUN_ACROSS: u8 = 2;
const INTEGER: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;

/// The code of the conditions; none when one of them cannot be written. Only what has code takes numbers of names.
pub(super) fn of(credential: &FederatedCredential, names: &mut Names) -> Option<Vec<u8>> {
    let mut taken = names.clone();
    let code = write_all(credential, &mut taken)?;
    *names = taken;
    Some(code)
}

fn write_all(credential: &FederatedCredential, names: &mut Names) -> Option<Vec<u8>> {
    let mut code = Vec::new();
    if let Some(rule) = &credential.subject {
        code.extend_from_slice(&[SUBJECT, 1]);
        write_glob(&rule.0, &mut code)?;
    }
    for condition in &credential.claims {
        code.push(names.number(&condition.name)?);
        code.push(u8::try_from(condition.accepted.len()).ok()?);
        condition.accepted.iter().try_for_each(|accepted| write(accepted, &mut code))?;
    }
    Some(code)
}

/// What conditions look at.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) workload: &'a Workload,
    pub(super) names: &'a Names,
    /// A claim that was looked up already, by the number of its name.
    pub(super) known: Option<(u8, Claim<'a>)>,
}

impl<'a> Seen<'a> {
    fn claim(&self, source: u8) -> Option<Claim<'a>> {
        match self.known {
            _ if source == SUBJECT => Some(Claim::Text(self.workload.subject())),
            Some((number, claim)) if number == source => Some(claim),
            _ => self.names.name(source)?.find(self.workload.claims()),
        }
    }
}

/// True when all conditions hold; never when the code cannot be read.
pub(super) fn holds(code: &[u8], seen: &Seen<'_>) -> bool {
    let mut code = Code(code);
    while let Some(source) = code.byte() {
        let claim = seen.claim(source);
        if !claim.is_some_and(|claim| code.any_accepts(claim).unwrap_or_default()) {
            return false;
        }
    }
    true
}

/// Code that is still to be read.
struct Code<'a>(&'a [u8]);

impl<'a> Code<'a> {
    /// True when one of the values that follow is accepted in the claim. All of them are read.
    fn any_accepts(&mut self, claim: Claim<'_>) -> Option<bool> {
        let mut any = false;
        for _ in 0..self.byte()? {
            let accepted = self.accepted()?;
            if any {
                continue;
            }
            any = match claim {
                Claim::Other(Value::Array(elements)) => {
                    elements.iter().any(|element| accepted.fits(element.into()))
                }
                claim => accepted.fits(claim),
            };
        }
        Some(any)
    }

    #[inline]
    fn accepted(&mut self) -> Option<Coded<'a>> {
        Some(match self.byte()? {
            TEXT => Coded::Text(self.text()?),
            RUN => Coded::Run(self.text()?),
            RUN_ACROSS => Coded::RunAcross(self.text()?),
            INTEGER => Coded::Integer(i64::from_le_bytes(*self.chunk()?)),
            FALSE => Coded::Boolean(false),
            TRUE => Coded::Boolean(true),
            _ => return None,
        })
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| *byte)
    }

    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_le_bytes(*self.chunk()?);
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(text)
    }

    #[inline]
    fn chunk<const LENGTH: usize>(&mut self) -> Option<&'a [u8; LENGTH]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(chunk)
    }
}

/// An accepted value, as [`Accepted`] but for patterns that have no code.
enum Coded<'a> {
    Text(&'a [u8]),
    Run(&'a [u8]),
    RunAcross(&'a [u8]),
    Integer(i64),
    Boolean(bool),
}

impl Coded<'_> {
    fn fits(&self, claim: Claim<'_>) -> bool {
        match (self, claim) {
            (Self::Text(own), Claim::Text(claim)) => *own == claim.as_bytes(),
            (Self::Run(prefix), Claim::Text(claim)) => claim
                .as_bytes()
                .strip_prefix(*prefix)
                .is_some_and(|run| !run.iter().any(|byte| matches!(byte, b'/' | b':'))),
            (Self::RunAcross(prefix), Claim::Text(claim)) => claim.as_bytes().starts_with(prefix),
            (Self::Integer(own), Claim::Other(Value::Number(claim))) => {
                claim.as_i64() == Some(*own)
            }
            (Self::Boolean(own), Claim::Other(Value::Bool(claim))) => own == claim,
            _ => false,
        }
    }
}

fn write(accepted: &Accepted, code: &mut Vec<u8>) -> Option<()> {
    match accepted {
        Accepted::Boolean(false) => code.push(FALSE),
        Accepted::Boolean(true) => code.push(TRUE),
        Accepted::Integer(own) => {
            code.push(INTEGER);
            code.extend_from_slice(&own.to_le_bytes());
        }
        Accepted::Text(glob) => write_glob(glob, code)?,
    }
    Some(())
}

fn write_glob(glob: &Glob, code: &mut Vec<u8>) -> Option<()> {
    let (text, wildcards) = glob.as_str().split_at_checked(glob.literal_prefix().len())?;
    code.push(match wildcards {
        "" => TEXT,
        "*" => RUN,
        "**" => RUN_ACROSS,
        _ => return None,
    });
    code.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
    code.extend_from_slice(text.as_bytes());
    Some(())
}

#[cfg(test)]
mod tests;
