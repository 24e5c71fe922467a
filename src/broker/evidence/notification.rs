//! The notifications of a registry: each use becomes an event of its own, joined to what allowed it, durable before the registry is answered.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::join::{self, Joined};
use super::unreadable;
use crate::audit::{Deed, Event, Kind, Use};
use crate::broker::{Broker, Call, Error, Refusal};
use crate::identity;
use crate::model::{AccessTokenId, DecisionId, JsonObject, RegistryName, RepositoryName, Secret};
use crate::telemetry::metrics;

/// How many uses of one notification are joined and recorded at once.
const AT_ONCE: usize = 16;

/// A use, as a registry reports it. Whoever reads it bounded its texts.
#[derive(Clone, Debug)]
pub struct Report {
    /// The registry's own id of the report, the same when it is sent again.
    pub id: Option<String>,
    /// What was done.
    pub deed: Deed,
    /// Where.
    pub repository: RepositoryName,
    /// Of a mount: where the content was already.
    pub from_repository: Option<RepositoryName>,
    /// The tag, where one was named.
    pub tag: Option<String>,
    /// The digest of the content.
    pub digest: Option<String>,
    /// The media type of the content.
    pub media_type: Option<String>,
    /// The length of the content, in bytes.
    pub size: Option<u64>,
    /// When, by the registry's clock.
    pub time: Timestamp,
    /// Who, as the registry has it: the `sub` of a JWT of ours.
    pub actor: Option<String>,
    /// The address of the client.
    pub client: Option<String>,
    /// The registry's name for the request.
    pub request_id: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

impl Report {
    /// The access token that the registry names, if it is one by its form.
    pub(super) fn access_token(&self) -> Option<AccessTokenId> {
        self.actor.as_ref()?.parse().ok()
    }
}

impl Broker {
    /// Whether any registry may send notifications.
    pub fn takes_notifications(&self) -> bool {
        self.registries.iter().any(|registry| registry.notifications_token.is_some())
    }

    /// The registry that sends notifications with this secret. Strangers do not learn which registries there are.
    ///
    /// # Errors
    /// It is not the registry's secret, or there is none; recorded, counted with others of a flood.
    pub async fn notifying_registry(
        &self,
        call: &Call,
        name: &str,
        presented: Option<&Secret>,
    ) -> Result<RegistryName, Refusal> {
        match self.authenticate(call, name, presented) {
            Ok(registry) => Ok(registry),
            Err(error) => Err(self.refuse_early(Kind::Notification, call, error).await),
        }
    }

    fn authenticate(
        &self,
        call: &Call,
        name: &str,
        presented: Option<&Secret>,
    ) -> Result<RegistryName, Error> {
        self.limits.address(call.peer)?;
        let presented = presented.ok_or(identity::Error::Missing)?;
        let registry = name.parse().ok().and_then(|name| self.registries.get(&name));
        let own = registry.and_then(|own| Some((own, own.notifications_token.as_ref()?)));
        match own {
            Some((registry, token)) if token.is(presented) => Ok(registry.name.clone()),
            _ => Err(identity::Error::from(identity::Check::NotificationsToken).into()),
        }
    }

    /// Records the uses that a registry reports; all are durable when this returns. One that was recorded lately is not recorded again.
    ///
    /// # Errors
    /// The trail cannot be read or written: the registry is to send all of it again.
    pub async fn record_uses(
        self: &Arc<Self>,
        call: Call,
        registry: RegistryName,
        reports: Vec<Report>,
    ) -> Result<(), Refusal> {
        let broker = Arc::clone(self);
        // a task of its own: what began is recorded, also when the registry hangs up
        let recording = self.tasks.spawn(async move {
            let record = |report| broker.record_use(&registry, report);
            let recorded = stream::iter(reports).map(record).buffer_unordered(AT_ONCE);
            match recorded.try_collect::<()>().await {
                Ok(()) => Ok(()),
                Err(error) => Err(broker.refuse_early(Kind::Notification, &call, error).await),
            }
        });
        recording.await.unwrap_or_else(|_panic| {
            let error = Error::Internal("the program panicked: the log says where".to_owned());
            Err(self.unrecorded(error))
        })
    }

    async fn record_use(&self, registry: &RegistryName, report: Report) -> Result<(), Error> {
        let id = report.id.clone();
        if id.as_ref().is_some_and(|id| self.reported.has(registry, id)) {
            return Ok(());
        }
        let event = self.joined(registry, report).await?;
        let bypass = event.usage.as_ref().and_then(|usage| usage.bypass);
        let kind = event.kind;
        self.journal.append(event).await?;
        metrics::registry_use(kind.as_str(), bypass.map(crate::audit::Bypass::as_str));
        if let Some(id) = id {
            self.reported.add(registry, &id);
        }
        Ok(())
    }

    /// The event of a use, with what explains it.
    async fn joined(&self, registry: &RegistryName, report: Report) -> Result<Event, Error> {
        let (archive, name) = (self.journal.archive().clone(), registry.clone());
        let (report, joined) = tokio::task::spawn_blocking(move || {
            let joined = join::join(&archive, &name, &report);
            (report, joined)
        })
        .await
        .map_err(|_panic| Error::Internal("the join of a use panicked".to_owned()))?;
        let joined = joined.map_err(unreadable)?;
        let now = self.clock.now();
        Ok(event(
            Event::new(DecisionId::new(now), now, report.deed.kind()),
            registry,
            report,
            joined,
        ))
    }
}

fn event(blank: Event, registry: &RegistryName, report: Report, joined: Joined) -> Event {
    let access_token = report.access_token();
    let (identity, by, bypass) = match joined {
        Joined::Explained(decision, by) => (decision.identity, Some(by), None),
        Joined::Bypass(bypass) => (stranger(&report), None, Some(bypass)),
    };
    Event {
        peer: report.client,
        identity,
        usage: Some(Use {
            registry: registry.clone(),
            repository: report.repository,
            from_repository: report.from_repository,
            tag: report.tag,
            digest: report.digest,
            media_type: report.media_type,
            size: report.size,
            time: report.time,
            request_id: report.request_id,
            user_agent: report.user_agent,
            access_token,
            by,
            bypass,
        }),
        ..blank
    }
}

/// Whom the registry names, when it is no access token: a user of its own.
fn stranger(report: &Report) -> Option<JsonObject> {
    let actor = report.actor.as_ref().filter(|_| report.access_token().is_none())?;
    JsonObject::of(&serde_json::json!({"kind": "registryUser", "subject": actor}))
}
