//! Promise 4 with replicas: what is taken away on one is gone on all, from the commit on, whatever happens to Redis and to notifications.

use std::sync::Arc;

use dockpass::pb::Action::ContentRead;
use dockpass::pb::TokenStatus::{Disabled, Enabled};
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::{AccessToken, FederatedCredential, IssueAccessTokenRequest};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support::{Network, Operator, Replicas, eventually, permission, with_bearer};

/// The token of the CI job.
const TOKEN: &str = "nginx-ci";

#[tokio::test(flavor = "multi_thread")]
async fn promise_4_what_is_taken_away_on_one_replica_gives_nothing_on_any() {
    let mut replicas = Replicas::start().await;
    withdrawn_on_each(&replicas, &ALL).await;
    replicas.to_postgres(Network::LosesNotifications);
    withdrawn_on_each(&replicas, &[Withdrawal::TokenDisabled]).await;
    for replica in &replicas.all {
        assert!(replica.to_postgres.lost() > 0, "no notification was lost");
    }
    replicas.redis.kill();
    withdrawn_on_each(&replicas, &ALL).await;
    replicas.to_postgres(Network::Works);
    withdrawn_on_each(&replicas, &[Withdrawal::TokenDisabled]).await;
}

/// What takes access away from the CI job.
#[derive(Clone, Copy, Debug)]
enum Withdrawal {
    TokenDisabled,
    ScopeMapNarrowed,
    CredentialRemoved,
}

const ALL: [Withdrawal; 3] =
    [Withdrawal::TokenDisabled, Withdrawal::ScopeMapNarrowed, Withdrawal::CredentialRemoved];

impl Withdrawal {
    /// Takes it away; what has to be given back, where that cannot be said otherwise.
    async fn withdraw(self, operator: &mut Operator) -> Option<FederatedCredential> {
        match self {
            Self::TokenDisabled => operator.set_status(TOKEN, Disabled).await,
            Self::ScopeMapNarrowed => {
                operator.take_action("servers-push", "servers/nginx", ContentRead).await;
            }
            Self::CredentialRemoved => {
                return Some(operator.take_credential(TOKEN, "main-branch").await);
            }
        }
        None
    }

    async fn give_back(self, operator: &mut Operator, taken: Option<FederatedCredential>) {
        match self {
            Self::TokenDisabled => operator.set_status(TOKEN, Enabled).await,
            Self::ScopeMapNarrowed => {
                operator.add_action("servers-push", "servers/nginx", ContentRead).await;
            }
            Self::CredentialRemoved => operator.add_credential(TOKEN, taken.unwrap()).await,
        }
    }
}

/// Takes access away on each replica in turn, while it is asked for on all, and gives it back.
async fn withdrawn_on_each(replicas: &Replicas, withdrawals: &[Withdrawal]) {
    for number in 0..replicas.all.len() {
        for withdrawal in withdrawals {
            let mut operator = replicas.operator(number).await;
            let asking = Asking::of(replicas).await;
            asking.granted(30).await;
            let taken = withdrawal.withdraw(&mut operator).await;
            let withdrawn = Instant::now();
            asking.answered_by_each_after(withdrawn).await;
            let wrong = asking.stop().await.granted_after(withdrawn);
            assert_eq!(
                wrong, 0,
                "access tokens were handed out after {withdrawal:?} on replica {number}"
            );
            withdrawal.give_back(&mut operator, taken).await;
            granted_by_all(replicas).await;
        }
    }
}

async fn granted_by_all(replicas: &Replicas) {
    for replica in &replicas.all {
        let (mut client, identity) = (replica.broker.client().await, replicas.job());
        eventually("access to be given back", async || {
            issue(&mut client, &identity, true).await.ok()
        })
        .await;
    }
}

/// Asks for a pull from `servers/nginx`.
async fn issue(
    client: &mut AccessServiceClient<Channel>,
    identity: &str,
    fresh: bool,
) -> Result<AccessToken, Status> {
    let request = IssueAccessTokenRequest {
        registry: "local".to_owned(),
        permissions: vec![permission("servers/nginx", &[ContentRead])],
        token_name: TOKEN.to_owned(),
        fresh,
        ..Default::default()
    };
    let answer = client.issue_access_token(with_bearer(request, identity)).await?;
    Ok(answer.into_inner().access_token.unwrap())
}

/// Callers who ask every replica for one token without a pause: a new access token, and one that may have been kept.
struct Asking {
    answers: Answers,
    stop: CancellationToken,
    callers: JoinSet<()>,
    replicas: usize,
}

#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Vec<Answer>>>);

/// When a request began, which replica it went to, and whether it was granted.
#[derive(Clone, Copy)]
struct Answer {
    began: Instant,
    replica: usize,
    granted: bool,
}

impl Asking {
    async fn of(replicas: &Replicas) -> Self {
        let (answers, stop, mut callers) =
            (Answers::default(), CancellationToken::new(), JoinSet::new());
        for (replica, asked) in replicas.all.iter().enumerate() {
            for fresh in [true, false] {
                let (client, identity) = (asked.broker.client().await, replicas.job());
                let (answers, stop) = (answers.clone(), stop.clone());
                callers.spawn(async move {
                    stop.run_until_cancelled(answers.ask(replica, client, identity, fresh)).await;
                });
            }
        }
        Self { answers, stop, callers, replicas: replicas.all.len() }
    }

    /// Waits until so many requests were granted.
    async fn granted(&self, requests: usize) {
        eventually("access tokens", async || {
            let granted = self.answers.0.lock().iter().filter(|answer| answer.granted).count();
            (granted >= requests).then_some(())
        })
        .await;
    }

    /// Waits until each replica answered requests that began after a time.
    async fn answered_by_each_after(&self, time: Instant) {
        const ENOUGH: usize = 10;
        eventually("answers after the change", async || {
            let answers = self.answers.0.lock();
            let after = |replica| {
                let of = |answer: &&Answer| answer.replica == replica && answer.began >= time;
                answers.iter().filter(of).count()
            };
            (0..self.replicas).all(|replica| after(replica) >= ENOUGH).then_some(())
        })
        .await;
    }

    async fn stop(mut self) -> Answers {
        self.stop.cancel();
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
        self.answers
    }
}

impl Answers {
    async fn ask(
        self,
        replica: usize,
        mut client: AccessServiceClient<Channel>,
        identity: String,
        fresh: bool,
    ) {
        loop {
            let began = Instant::now();
            let granted = match issue(&mut client, &identity, fresh).await {
                Ok(_) => true,
                Err(status) => {
                    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
                    false
                }
            };
            self.0.lock().push(Answer { began, replica, granted });
        }
    }

    /// How many requests that began at a time or later were granted.
    fn granted_after(&self, time: Instant) -> usize {
        self.0.lock().iter().filter(|answer| answer.granted && answer.began >= time).count()
    }
}
