//! How long a change of one scope map takes until a caller sees it.

use std::time::Instant;

use dockpass::model::ActionSet;
use dockpass::pb::access_service_client::AccessServiceClient;

use crate::changes::Editor;
use crate::generate::Hpack;
use crate::issuer::Algorithm;
use crate::report::median;
use crate::requests::{self, Ask};
use crate::scenario::{Beside, MANY_TOKENS, Scenario, Yardstick, lanes};
use crate::turns::Bench;

const ROUNDS: usize = 20;

/// The name of this part.
pub(crate) const NAME: &str = "update";

/// The median milliseconds from the begin of a change, with 100,000 tokens loaded, to the first answer that follows it. The caller
/// asks without pause; the change is made in the store, as `dockpass policy apply` does.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<f64> {
    let scenario = Scenario {
        name: NAME,
        ask: Ask::Check,
        hpack: Hpack::Huffman,
        lanes: lanes(1, 1),
        world: MANY_TOKENS,
        beside: Beside::Nothing,
        yardstick: Yardstick::Hello,
    };
    let server = bench.server(&scenario)?;
    let mut editor = Editor::open(&server)?;
    let identity = bench.issuer.bearer(Algorithm::Es256, 0, 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut client =
        runtime.block_on(AccessServiceClient::connect(format!("http://{}", server.grpc)))?;
    let mut allowed = |repository: &str| -> anyhow::Result<bool> {
        let mut request = tonic::Request::new(requests::check(repository));
        request.metadata_mut().insert("authorization", identity.parse()?);
        Ok(runtime.block_on(client.check_access(request))?.into_inner().allowed)
    };
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let repository = format!("new/app-{round}");
        anyhow::ensure!(!allowed(&repository)?, "allowed before the change");
        let begun = Instant::now();
        let pattern = repository.parse()?;
        editor.change(|map| map.permissions.extend([(pattern, ActionSet::PUSH)]))?;
        while !allowed(&repository)? {}
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(took))
}
