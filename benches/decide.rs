//! What one decision costs with 10, 10,000 and 100,000 federated credentials, and what comes before it: a verdict that is
//! known already, compiling the policy, and a change of one scope map.
//!
//! `cargo bench --bench decide`. The goals are 300 and 700 ns a decision at 10,000 and 100,000, better 160 and 390; and 50 ms
//! until a change of one scope map is in force, better 5. Identities are verified from signed tokens, as in the program.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use dockpass::identity::{Identity, Verifiers};
use dockpass::model::{
    AccessRequest, ActionSet, Clock as _, DefinitionChange, Definitions, Form, Permission, Reuse,
    SystemClock, TokenUid,
};
use dockpass::policy::{Context, Issuer, PolicyFile, RegistryBounds, Snapshot, decide};

#[path = "decide/issuer.rs"]
mod issuer;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [10, 10_000, 100_000];
/// How many identities take turns, so that not one and the same path through memory is measured.
const CALLERS: usize = 1_000;
/// How many tokens share a scope map.
const TOKENS_PER_MAP: usize = 10;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let issuer = issuer::LocalIssuer::new()?;
    let verifiers = issuer.verifiers()?;
    verdict(&mut criterion, &runtime, &issuer, &verifiers)?;
    for size in SIZES {
        let definitions = definitions(size)?;
        let snapshot = Snapshot::compile(definitions.clone(), &context()?)?;
        let identify = |owner: &str, claims: &str| -> anyhow::Result<Vec<Identity>> {
            (0..size.min(CALLERS))
                .map(|at| caller(at, size))
                .map(|token| {
                    let presented = issuer.sign(
                        &subject(owner, token),
                        &claims.replace("NUMBER", &token.to_string()),
                    )?;
                    Ok(runtime
                        .block_on(verifiers.verify_caller(&presented, snapshot.passwords()))?)
                })
                .collect()
        };
        let few = r#""repository_id":"NUMBER","ref":"refs/heads/main""#;
        let callers = identify("owner", few)?;
        let requests = (0..callers.len())
            .map(|at| request(caller(at, size), "app"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let now = SystemClock.now();
        let mut measure = |name: &str, callers: &[Identity], requests: &[AccessRequest]| {
            let mut turns = callers.iter().zip(requests).cycle();
            criterion.bench_function(&format!("{name}/{size}"), |bencher| {
                bencher.iter(|| match turns.next() {
                    Some((identity, request)) => {
                        black_box(decide(&snapshot, identity, request, now)).is_ok()
                    }
                    None => false,
                });
            });
        };
        measure("decide/allowed", &callers, &requests);
        let foreign = (0..callers.len())
            .map(|_| request(size + 7, "app"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        measure("decide/denied, outside of the scope map", &callers, &foreign);
        measure(
            "decide/denied, unknown identity",
            &identify("other", r#""repository_id":"none","ref":"x""#)?,
            &requests,
        );
        measure("decide/allowed, 40 claims", &identify("owner", &many(few)?)?, &requests);
        changes(&mut criterion, size, &definitions, &snapshot)?;
    }
    criterion.final_summary();
    Ok(())
}

/// What an identity token costs that was verified before.
fn verdict(
    criterion: &mut Criterion,
    runtime: &tokio::runtime::Runtime,
    issuer: &issuer::LocalIssuer,
    verifiers: &Verifiers,
) -> anyhow::Result<()> {
    let presented = issuer.sign(&subject("owner", 1), &many(r#""repository_id":"1""#)?)?;
    let nobody = Snapshot::compile(Definitions::default(), &context()?)?;
    runtime.block_on(verifiers.verify_caller(&presented, nobody.passwords()))?;
    criterion.bench_function("identity/known verdict", |bencher| {
        bencher.iter(|| {
            let verified = verifiers.verify_caller(black_box(&presented), nobody.passwords());
            black_box(runtime.block_on(verified)).is_ok()
        });
    });
    Ok(())
}

/// Compiling everything, and putting one scope map or one token in another's place.
fn changes(
    criterion: &mut Criterion,
    size: usize,
    definitions: &Definitions,
    snapshot: &Snapshot,
) -> anyhow::Result<()> {
    let context = context()?;
    criterion.bench_function(&format!("policy/compile/{size}"), |bencher| {
        bencher.iter_batched(
            || definitions.clone(),
            |definitions| Snapshot::compile(definitions, &context),
            BatchSize::PerIteration,
        );
    });
    let map = definitions.scope_maps.first().cloned().map(Box::new);
    let map = map.into_iter().map(DefinitionChange::ScopeMapPut);
    let token = definitions.tokens.first().cloned().map(Box::new);
    let token = token.into_iter().map(DefinitionChange::TokenPut);
    for (what, change) in ["one scope map", "one token"].into_iter().zip(map.chain(token)) {
        criterion.bench_function(&format!("policy/change of {what}/{size}"), |bencher| {
            bencher.iter_batched(
                || vec![change.clone()],
                |changes| snapshot.apply(changes, definitions.revision + 1),
                BatchSize::SmallInput,
            );
        });
    }
    Ok(())
}

fn context() -> anyhow::Result<Context> {
    Ok(Context {
        registries: vec![RegistryBounds {
            name: "local".parse()?,
            uid: dockpass::model::RegistryUid([1; 16]),
            default_lifetime: dockpass::model::Lifetime::DEFAULT,
            max_lifetime: None,
        }],
        issuers: vec![Issuer { issuer: issuer::ISSUER.parse()?, shared: false }],
    })
}

/// Half of the credentials go by a claim, half by a pattern of the subject.
fn definitions(tokens: usize) -> anyhow::Result<Definitions> {
    let mut text = String::new();
    for map in 0..tokens / TOKENS_PER_MAP {
        writeln!(
            text,
            "[[scope_maps]]\nregistry = \"local\"\nname = \"map-{map:05}\"\nowner = \"team-{map}\"\n\
             permissions.\"team-{map}/app\" = [\"content/read\", \"content/write\"]\n\
             permissions.\"team-{map}/base/*\" = [\"content/read\"]\npermissions.\"shared/*\" = [\"content/read\"]"
        )?;
    }
    for token in 0..tokens {
        let map = token / TOKENS_PER_MAP;
        let rule = if token % 2 == 0 {
            format!("claims.repository_id = [\"{token}\"]\nclaims.ref = [\"refs/heads/main\"]")
        } else {
            format!("subject = \"repo:owner@1/r{token}@{token}:*\"")
        };
        writeln!(
            text,
            "[[tokens]]\nregistry = \"local\"\nname = \"token-{token:06}\"\nscope_map = \"map-{map:05}\"\n\
             [[tokens.federated_credentials]]\nname = \"main\"\nissuer = \"{}\"\n{rule}",
            issuer::ISSUER
        )?;
    }
    let now = SystemClock.now();
    let mut new_uid = || TokenUid::new(now);
    Ok(PolicyFile::parse(&text)?.onto(&Definitions::default(), now, "benchmark", &mut new_uid))
}

/// The token of a caller: from all over the policy, half of them found by a claim and half by their subject.
fn caller(at: usize, size: usize) -> usize {
    let step = size / size.min(CALLERS);
    at * step + (at % 2) % step
}

fn subject(owner: &str, token: usize) -> String {
    format!("repo:{owner}@1/r{token}@{token}:environment")
}

fn request(token: usize, repository: &str) -> anyhow::Result<AccessRequest> {
    let repository = format!("team-{}/{repository}", token / TOKENS_PER_MAP).parse()?;
    Ok(AccessRequest {
        registry: "local".parse()?,
        permissions: [Permission { repository, actions: ActionSet::PUSH }].into_iter().collect(),
        lifetime: None,
        token_name: None,
        form: Form::Password,
        reuse: Reuse::default(),
    })
}

/// More claims beside these, as many as a CI system writes.
fn many(claims: &str) -> anyhow::Result<String> {
    let mut text = claims.to_owned();
    for claim in 0..36 {
        write!(text, r#","claim_{claim:02}":"a value of the usual length {claim}""#)?;
    }
    Ok(text)
}
