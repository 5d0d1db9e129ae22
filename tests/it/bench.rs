//! `probata-bench`: that its load is sealed, and what it says.

use probata_tests::{Trouble, ensure, network};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_the_load_is_accepted_and_the_result_is_one_object() -> Result<(), Trouble>
{
    let _turn = network::turn().await;
    for (profile, rate) in [("single", "60"), ("hundred", "4")] {
        let result = bench(&["--profile", profile, "--rate", rate, "--seconds", "4"]).await?;
        let number = |field: &str| result[field].as_u64().unwrap_or_default();
        // On a busy machine the answers may come after the seconds that are counted.
        for field in ["submissions_per_second", "records_per_second"] {
            assert!(result[field].is_u64(), "{profile}: {field} in {result}");
        }
        for field in ["acknowledged", "rss_mb_max"] {
            assert!(number(field) > 0, "{profile}: {field} in {result}");
        }
        for field in ["p50_ms", "p99_ms", "cpu_seconds"] {
            assert!(result[field].as_f64() > Some(0.0), "{profile}: {field} in {result}");
        }
        assert_eq!((number("rejected"), number("failed"), number("lost")), (0, 0, 0), "{result}");
        assert_eq!(number("sent"), number("acknowledged"), "{result}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_the_leader_is_killed_and_nodes_are_restarted() -> Result<(), Trouble>
{
    let _turn = network::turn().await;
    let troubles = ["--kill-leader-at", "2", "--restart-every", "10"];
    let load = ["--rate", "40", "--seconds", "14"];
    let result = bench(&[load, troubles].concat()).await?;
    assert!(result["killed"]["away_ms"].as_u64() >= Some(5_000), "{result}");
    assert!(result["killed_p99_ms"].as_f64() > Some(0.0), "{result}");
    assert_eq!(result["restarts"], 1, "{result}");
    assert!(result["slopes"]["handles"]["ratio"].as_f64() > Some(0.0), "{result}");
    assert_eq!((&result["failed"], &result["lost"]), (&0.into(), &0.into()), "{result}");
    assert_eq!(result["sent"], result["acknowledged"], "{result}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_has_grown_answers_restarts_takes_in_a_node_and_is_kept()
-> Result<(), Trouble> {
    let _turn = network::turn().await;
    let folder = tempfile::tempdir()?;
    let kept = folder.path().join("kept");
    let kept = kept.to_string_lossy();
    let grow = ["--profile", "grow", "--records", "2000", "--in-flight", "4"];
    let result = bench(&[&grow[..], &["--keep", &kept]].concat()).await?;
    assert_eq!((&result["acknowledged"], &result["lost"]), (&20.into(), &0.into()), "{result}");
    let grown = &result["grown"];
    let join = ["snapshot_ms", "snapshot_height", "snapshot_bytes", "join_serves_ms"];
    for field in ["asked", "restart_ms", "restart_after_kill_ms"].iter().chain(&join) {
        assert!(grown[field].as_u64() > Some(0), "{field} in {result}");
    }
    for field in ["point_p99_ms", "evidence_p99_ms"] {
        assert!(grown[field].as_f64() > Some(0.0), "{field} in {result}");
    }
    // The same seed tells other loans on the chain that is there.
    let again = bench(&["--rate", "20", "--seconds", "2", "--keep", &kept]).await?;
    assert_eq!((&again["rejected"], &again["failed"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(again["sent"], again["acknowledged"], "{again}");
    Ok(())
}

/// Runs `probata-bench`, which must succeed; what it says.
async fn bench(arguments: &[&str]) -> Result<Value, Trouble> {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_probata-bench"));
    bench.args(arguments).arg("--json");
    let output = bench.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), || format!("{arguments:?}: {}\n{said}", output.status))?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
