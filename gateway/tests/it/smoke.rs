use serde_json::json;

use crate::rig::Rig;

#[tokio::test]
async fn two_people_on_two_gateways_talk() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let ok = a.send(&["ada", "bob"], "hello, world").await;
    let message = b.expect("message").await;
    assert_eq!(message["text"], "hello, world");
    assert_eq!(message["participants"], json!(["ada", "bob"]));
    assert_eq!((&message["seq"], &message["position"]), (&ok["seq"], &ok["position"]));
    let reply = b.send(&["ada", "bob"], "hi").await;
    assert_eq!(a.expect("message").await["seq"], reply["seq"]);
}
