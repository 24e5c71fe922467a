//! Several chains in memory, with the checkpoints of several replicas, to be damaged.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::chain::Prepared;
use super::super::super::export::event_line;
use super::super::super::fields::Fields;
use super::super::super::key::SigningKey;
use super::super::super::line::{Header, Line, VERSION};
use super::super::super::record::Record;
use super::super::*;
use crate::store::{Chain, ChainHead};

/// Some chains and how they were written: what follows what.
pub(super) struct Ledger {
    _folder: TempDir,
    keys: Vec<SigningKey>,
    chains: BTreeMap<Chain, Strand>,
    order: Vec<Step>,
}

#[derive(Default)]
struct Strand {
    rows: Vec<JournalRow>,
    /// The record of a prune, with where the chain starts.
    start: Option<(ChainHead, Checkpoint)>,
}

enum Step {
    Event(Chain),
    /// A checkpoint, and the chain that keeps it.
    Checkpoint(Chain, Checkpoint),
}

impl Ledger {
    /// Some chains of so many events each, written in turns; each replica signs after every second of its events, and all at the end.
    pub(super) fn with(chains: u32, events: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = |chain| SigningKey::open(&folder.path().join(format!("{chain}.key"))).unwrap();
        let mut ledger = Self {
            keys: (0..chains).map(key).collect(),
            _folder: folder,
            chains: (0..chains).map(|chain| (Chain(chain), Strand::default())).collect(),
            order: Vec::new(),
        };
        for number in 0..events {
            for chain in 0..chains {
                let id = (u128::from(chain) << 8 | u128::from(number)).to_be_bytes();
                let id = DecisionId::from_bytes(id);
                ledger.append(chain, id);
                ledger.order.push(Step::Event(Chain(chain)));
                if number % 2 == 1 {
                    ledger.sign(chain);
                }
            }
        }
        (0..chains).for_each(|chain| ledger.sign(chain));
        ledger
    }

    fn append(&mut self, chain: u32, id: DecisionId) {
        let event = Event::new(id, Timestamp::UNIX_EPOCH, Kind::Check);
        let head = self.head(chain);
        self.rows(chain).push(Prepared::new(Fields::of(&event)).after(head));
    }

    fn head(&self, chain: u32) -> ChainHead {
        let chain = Chain(chain);
        self.chains[&chain].rows.last().map_or_else(|| ChainHead::genesis(chain), JournalRow::head)
    }

    fn sign(&mut self, chain: u32) {
        let heads: Vec<_> = self.chains.keys().map(|chain| (*chain, self.head(chain.0))).collect();
        let key = &self.keys[chain as usize];
        let checkpoint = Checkpoint::sign(Statement::Checkpoint, Timestamp::UNIX_EPOCH, heads, key);
        self.order.push(Step::Checkpoint(Chain(chain), checkpoint));
    }

    pub(super) fn count(&self) -> u32 {
        self.chains.len().try_into().unwrap()
    }

    pub(super) fn keys(&self) -> BTreeSet<String> {
        self.keys.iter().map(|key| Hex(key.public()).to_string()).collect()
    }

    /// The rows of a chain, to be damaged.
    pub(super) fn rows(&mut self, chain: u32) -> &mut Vec<JournalRow> {
        &mut self.chains.get_mut(&Chain(chain)).unwrap().rows
    }

    /// Puts a row somewhere, and moves the later ones by one place.
    pub(super) fn insert(&mut self, chain: u32, at: usize, row: JournalRow) {
        let rows = self.rows(chain);
        rows.insert(at, row);
        for (row, sequence) in rows.iter_mut().skip(at).zip(at as u64 + 1..) {
            row.sequence = sequence;
        }
    }

    pub(super) fn add_chain(&mut self, rows: Vec<JournalRow>) {
        let chain = Chain(self.count());
        self.chains.insert(chain, Strand { rows, start: None });
    }

    pub(super) fn remove_chain(&mut self, chain: u32) {
        self.chains.remove(&Chain(chain)).unwrap();
    }

    /// Writes a chain anew, with events of the same ids.
    pub(super) fn forge(&mut self, chain: u32, ids: Vec<DecisionId>) {
        for id in ids {
            self.append(chain, id);
        }
    }

    pub(super) fn checkpoints(&mut self) -> impl DoubleEndedIterator<Item = &mut Checkpoint> {
        self.order.iter_mut().filter_map(|step| match step {
            Step::Event(_) => None,
            Step::Checkpoint(_, checkpoint) => Some(checkpoint),
        })
    }

    pub(super) fn last_checkpoint(&mut self) -> Checkpoint {
        self.checkpoints().next_back().unwrap().clone()
    }

    pub(super) fn forget_checkpoints(&mut self) {
        self.order.retain(|step| matches!(step, Step::Event(_)));
    }

    pub(super) fn forget_checkpoints_of(&mut self, chain: u32) {
        self.order.retain(|step| !matches!(step, Step::Checkpoint(of, _) if *of == Chain(chain)));
    }

    /// Prunes the first `count` events of a chain.
    pub(super) fn prune(&mut self, chain: u32, count: usize) {
        let last = self.rows(chain).drain(..count).next_back().unwrap().head();
        let (kind, time) = (Statement::Start, Timestamp::UNIX_EPOCH);
        let record = Checkpoint::sign(kind, time, [(Chain(chain), last)], &self.keys[0]);
        self.chains.get_mut(&Chain(chain)).unwrap().start = Some((last, record));
    }

    pub(super) fn exchange_records(&mut self, one: u32, other: u32) {
        let start =
            |ledger: &mut Self, chain| ledger.chains.get_mut(&Chain(chain)).unwrap().start.take();
        let (first, second) = (start(self, one), start(self, other));
        self.chains.get_mut(&Chain(one)).unwrap().start = second;
        self.chains.get_mut(&Chain(other)).unwrap().start = first;
    }

    pub(super) fn verify(&self, outside: Option<&Checkpoint>) -> Result<Report, Finding> {
        verify(self.entries().into_iter().map(Ok), outside)
    }

    /// What is read of a store.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let each =
            self.walk(|chain, _, row| Entry::Event(Box::new(Record::of(chain, row.clone()))));
        let starts = self.starts().map(|(chain, start, record)| {
            Entry::Start(chain, start, record.cloned().map(Box::new))
        });
        let rest = each.into_iter().map(|one| match one {
            Walked::Event(entry) => entry,
            Walked::Checkpoint(checkpoint) => Entry::Checkpoint(Box::new(checkpoint)),
        });
        starts.chain(rest).collect()
    }

    /// What is exported.
    pub(super) fn lines(&self) -> Vec<String> {
        let each = self.walk(|chain, previous, row| {
            Line::Event(event_line(chain, previous, row, Disclosure::Full).unwrap())
        });
        let starts = self.starts().map(|(chain, head, record)| {
            Line::Export(Header {
                version: VERSION,
                chain,
                sequence: head.sequence,
                hash: Hex(head.hash),
                pruned: record.cloned(),
            })
        });
        let rest = each.into_iter().map(|one| match one {
            Walked::Event(line) => line,
            Walked::Checkpoint(checkpoint) => Line::Checkpoint(checkpoint),
        });
        starts.chain(rest).map(|line| serde_json::to_string(&line).unwrap()).collect()
    }

    fn starts(&self) -> impl Iterator<Item = (Chain, ChainHead, Option<&Checkpoint>)> {
        self.chains.iter().map(|(chain, strand)| match &strand.start {
            None => (*chain, ChainHead::genesis(*chain), None),
            Some((head, record)) => (*chain, *head, Some(record)),
        })
    }

    /// Events as far as they are due, each checkpoint in its turn, and then what is left.
    fn walk<T>(&self, event: impl Fn(Chain, [u8; 32], &JournalRow) -> T) -> Vec<Walked<T>> {
        let mut left: BTreeMap<_, _> = self
            .starts()
            .map(|(chain, start, _)| (chain, (start, self.chains[&chain].rows.as_slice())))
            .collect();
        let mut walked = Vec::new();
        let mut take = |chain: Chain, due: u64| {
            let (head, rows) = left.get_mut(&chain)?;
            let (row, rest) = rows.split_first().filter(|(row, _)| row.sequence <= due)?;
            *rows = rest;
            let previous = std::mem::replace(head, row.head()).hash;
            Some(Walked::Event(event(chain, previous, row)))
        };
        let mut due = BTreeMap::<Chain, u64>::new();
        for step in &self.order {
            match step {
                Step::Event(chain) => {
                    let due = due.entry(*chain).or_default();
                    *due += 1;
                    walked.extend(take(*chain, *due));
                }
                Step::Checkpoint(_, checkpoint) => {
                    walked.push(Walked::Checkpoint(checkpoint.clone()));
                }
            }
        }
        for chain in self.chains.keys() {
            walked.extend(std::iter::from_fn(|| take(*chain, u64::MAX)));
        }
        walked
    }
}

enum Walked<T> {
    Event(T),
    Checkpoint(Checkpoint),
}

/// What was found: the chain, the place in it and the kind of damage.
pub(in super::super) fn place<T: std::fmt::Debug>(
    result: Result<T, Finding>,
) -> (u32, u64, Damage) {
    match result.unwrap_err() {
        Finding::Damaged { place, damage, .. } => (place.chain.0, place.event, damage),
        other @ Finding::Unreadable(_) => panic!("{other}"),
    }
}
