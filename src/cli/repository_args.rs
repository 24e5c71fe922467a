//! `--repository REPO ACTION...` and its kin: flags that may be given several times, each with a repository and its actions.

use std::collections::BTreeMap;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::wire;
use crate::model::{ActionSet, RepositoryPattern};
use crate::pb;

/// Repositories, exactly or as patterns, with their actions; the same one twice is the union.
pub(super) type Repositories = BTreeMap<RepositoryPattern, ActionSet>;

/// What a scope map allows, whole.
#[derive(Clone, Debug, Default)]
pub(super) struct RepositoryArgs {
    pub(super) repositories: Repositories,
}

/// What a scope map is to allow more, and less.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeArgs {
    pub(super) added: Repositories,
    pub(super) removed: Repositories,
}

const WHOLE: &str = "repository";
const ADD: &str = "add_repository";
const REMOVE: &str = "remove_repository";

impl ChangeArgs {
    /// True when nothing is to change.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The first pattern with an action that is both added and removed.
    pub(super) fn ambiguity(&self) -> Option<&RepositoryPattern> {
        let both = |pattern, added: &ActionSet| {
            self.removed.get(pattern).is_some_and(|less| !less.intersection(*added).is_empty())
        };
        self.added.iter().find(|(pattern, added)| both(pattern, added)).map(|(pattern, _)| pattern)
    }
}

/// Repositories as messages carry them.
pub(super) fn message(repositories: &Repositories) -> Vec<pb::PatternPermission> {
    let permission = |(pattern, actions): (&RepositoryPattern, &ActionSet)| pb::PatternPermission {
        repository_pattern: pattern.to_string(),
        actions: wire::actions(*actions),
    };
    repositories.iter().map(permission).collect()
}

fn flag(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id)
        .long(name)
        .action(ArgAction::Append)
        .num_args(1..)
        .value_names(["REPO", "ACTION"])
        .help(help)
}

impl Args for RepositoryArgs {
    fn augment_args(command: Command) -> Command {
        command.arg(flag(
            WHOLE,
            "repository",
            "A repository, or a pattern such as `servers/*`, and the actions on it: content/read, content/write, content/delete, metadata/read, metadata/write, or pull and push; may be given several times",
        ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RepositoryArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { repositories: read(matches, WHOLE)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ChangeArgs {
    fn augment_args(command: Command) -> Command {
        let add = flag(
            ADD,
            "add-repository",
            "A repository or pattern and the actions to add to it; may be given several times",
        );
        let remove = flag(
            REMOVE,
            "remove-repository",
            "A repository or pattern and the actions to take from it; may be given several times",
        );
        // the older names of az
        command.arg(add.alias("add")).arg(remove.alias("remove"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ChangeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { added: read(matches, ADD)?, removed: read(matches, REMOVE)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn read(matches: &ArgMatches, id: &str) -> Result<Repositories, clap::Error> {
    let mut repositories = Repositories::new();
    for occurrence in matches.get_occurrences::<String>(id).into_iter().flatten() {
        let (pattern, actions) = entry(occurrence)
            .map_err(|problem| clap::Error::raw(ErrorKind::ValueValidation, problem))?;
        let own = repositories.entry(pattern).or_insert(ActionSet::EMPTY);
        *own = own.union(actions);
    }
    Ok(repositories)
}

/// One occurrence; upper case is folded to lower, as `az acr` does.
fn entry<'a>(
    mut words: impl Iterator<Item = &'a String>,
) -> Result<(RepositoryPattern, ActionSet), String> {
    let repository = words.next().map(|word| word.to_lowercase()).unwrap_or_default();
    let pattern = repository.parse().map_err(|error| format!("{error}\n"))?;
    let names: Vec<String> = words.map(|word| word.to_lowercase()).collect();
    if names.is_empty() {
        return Err(format!("at least one action must be specified with `{repository}`\n"));
    }
    let actions = ActionSet::parse(names.iter().map(String::as_str));
    Ok((pattern, actions.map_err(|error| format!("{error}\n"))?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        whole: RepositoryArgs,
        #[command(flatten)]
        change: ChangeArgs,
        #[arg(long)]
        other: bool,
    }

    fn parse(arguments: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(format!("x {arguments}").split_whitespace())
    }

    #[test]
    fn each_occurrence_is_a_repository_with_its_actions() {
        let parsed = parse(
            "--repository Servers/NGINX content/READ content/write --repository b/* pull --other \
             --repository servers/nginx metadata/read",
        )
        .unwrap();
        let shown: Vec<String> =
            parsed.whole.repositories.iter().map(|(p, a)| format!("{p} {a}")).collect();
        assert_eq!(
            shown,
            ["b/* content/read", "servers/nginx content/read,content/write,metadata/read"]
        );
        assert!(parsed.other && parsed.change.is_empty());
        assert_eq!(message(&parsed.whole.repositories)[0].actions, [1]);
    }

    #[test]
    fn wrong_entries_are_refused_with_the_remedy() {
        for (arguments, expected) in [
            ("--repository a", "at least one action must be specified with `a`"),
            ("--repository a contentRead", "content/read"),
            ("--repository a/b*c content/read", "whole segments"),
            ("--add-repository content/read", "at least one action"),
            ("--repository", "value is required"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.to_string().contains(expected), "{arguments}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn what_is_added_and_removed_at_once_is_found() {
        let change = |text| parse(text).unwrap().change;
        let both = change("--add a push --remove a content/write metadata/read");
        assert_eq!(both.ambiguity().unwrap().to_string(), "a");
        assert!(
            change("--add-repository a pull --remove-repository a content/write")
                .ambiguity()
                .is_none()
        );
    }
}
