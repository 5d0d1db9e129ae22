//! `probata status`: what each node says about the chain.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, field, table},
};
use crate::sdk::{Client, ClientConfig, ClientError};
use serde_json::{Value, json};

pub(super) async fn run(common: &Common, output: &mut Output) -> Result<u8, Failure> {
    let chain = context::client(common, None)?.genesis().chain().to_string();
    let (mut rows, mut values, mut last) = (Vec::new(), Vec::new(), None);
    let mut answered = false;
    for node in &common.nodes {
        let client = Client::new(ClientConfig {
            nodes: vec![node.clone()],
            genesis: context::genesis(common)?,
            deadline: common.deadline().min(crate::sdk::limits::CONNECT),
            spool: None,
        })?;
        match client.status().await {
            Ok(status) => {
                answered = true;
                rows.push(row(node, &status, &chain));
                values.push(json!({ "node": node, "status": status }));
            }
            Err(error) => {
                let why = format!("no answer: {}", why(&error));
                rows.push(vec![node.clone(), why.clone()]);
                values.push(json!({ "node": node, "error": why }));
                last = Some(error);
            }
        }
    }
    output.line(&table(&["NODE", "CHAIN", "HEIGHT", "VIEW", "LEADER", "PEERS", "PENDING"], rows));
    output.value(&json!({ "nodes": values }));
    match last {
        Some(error) if !answered => Err(error.into()),
        _ => Ok(0),
    }
}

fn row(node: &str, status: &Value, chain: &str) -> Vec<String> {
    let text = |path| field(status, path);
    let this =
        if text("/chain") == chain { text("/chain_name") } else { "ANOTHER CHAIN".to_owned() };
    let halted = text("/halted");
    let view = if halted.is_empty() { text("/view") } else { format!("HALTED: {halted}") };
    let leader = text("/leader/name/en");
    let peers = format!("{}/{}", text("/peers_connected"), text("/peers"));
    vec![node.to_owned(), this, text("/height"), view, leader, peers, text("/pending")]
}

fn why(error: &ClientError) -> String {
    match error {
        ClientError::Unreachable(tried) => tried
            .iter()
            .map(|trial| trial.what.to_string())
            .next()
            .unwrap_or_else(|| "no answer in time".to_owned()),
        other => other.to_string(),
    }
}
