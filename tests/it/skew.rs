//! Two brokers on one store whose clocks are half a minute apart: nothing is harmed, and it is told.

use dockpass::model::{Clock, ManualClock};
use jiff::SignedDuration;

use crate::support::{Site, eventually, http, push};

const APART: SignedDuration = SignedDuration::from_secs(30);

#[tokio::test]
async fn what_one_issues_the_other_honours_and_takes_back() {
    let site = Site::shared().await;
    let ahead = ManualClock::at(site.clock.now() + APART);
    let (first, second) = (
        site.start_replica("first", &site.clock).await,
        site.start_replica("second", &ahead).await,
    );
    for (issuer, other) in [(&first, &second), (&second, &first)] {
        let identity = site.identity("job");
        let token = issuer.issue(&identity, push("servers/nginx")).await.unwrap();
        let credentials = Some((token.username.as_str(), token.password.as_str()));
        let scope = "repository:servers/nginx:pull,push";
        assert_eq!(other.login(credentials, &[scope], &[]).await.status, 200);
        other.revoke(&identity, &token.id).await.unwrap();
        for broker in [issuer, other] {
            assert_eq!(broker.login(credentials, &[scope], &[]).await.status, 401);
        }
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn the_difference_is_told_of_and_harms_no_readiness() {
    let site = Site::shared().await;
    let broker = site.start_replica("ahead", &ManualClock::at(site.clock.now() + APART)).await;
    let told = eventually("the comparison of clocks", async || {
        let answer = http().get(broker.ops_url("/readyz")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        text.contains("degraded").then_some(text)
    })
    .await;
    assert!(told.contains("ahead of the store's"), "{told}");
    let metrics =
        http().get(broker.ops_url("/metrics")).send().await.unwrap().text().await.unwrap();
    // the broker's clock stands still meanwhile
    let skew = metrics.lines().find_map(|line| line.strip_prefix("dockpass_clock_skew_seconds "));
    let skew: f64 = skew.unwrap().parse().unwrap();
    assert!(skew > 2.0 && skew <= 31.0, "{skew}");
    broker.stop().await;
}
