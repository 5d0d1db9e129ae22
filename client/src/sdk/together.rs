//! What many calls have for one node goes to it in few requests. While as many are under way as it should have, further
//! submissions wait, and the next request takes what waits: requests grow with the load, and cost less for each submission
//! the more there is to do.

use super::{
    answer::{self, Answered},
    client::Client,
    http::{Ask, Reply},
    limits,
    sets::{NotBelieved, ProvenSets},
};
use probata_types::{List, Submission, codec, limits::BATCH_BYTES, receipt::Batch};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

/// What came of one request.
enum Heard {
    /// The node said something of each submission.
    Each(Vec<Answered>),
    /// Something of all of them, for what one of them may be.
    These(Answered),
    /// Something that it would say of any.
    Any(Answered),
}

/// What is on its way to a node.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    /// First come, first sent.
    waiting: VecDeque<Call>,
    /// How many have come.
    calls: u64,
    /// Under way.
    requests: usize,
}

/// What one call has for the node.
#[derive(Debug)]
struct Call {
    /// Rises from call to call.
    number: u64,
    submissions: Vec<Submission>,
    /// How long the node has for its answer.
    patience: Duration,
    /// When the call must have its answer.
    end: Instant,
    said: oneshot::Sender<Vec<Answered>>,
}

impl Call {
    /// Somebody may have given up meanwhile.
    fn answer(self, said: Vec<Answered>) {
        let _ = self.said.send(said);
    }

    fn answer_all(self, said: &Answered) {
        let all = vec![said.clone(); self.submissions.len()];
        self.answer(all);
    }

    fn bytes(&self) -> usize {
        self.submissions.iter().map(Submission::size).sum()
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call; gives its number, and a turn if a request is to begin.
    fn join(self: &Arc<Self>, call: impl FnOnce(u64) -> Call) -> (u64, Option<Turn>) {
        let mut inside = self.lock();
        inside.calls += 1;
        let number = inside.calls;
        inside.waiting.push_back(call(number));
        let begins = inside.requests < limits::REQUESTS_TO_NODE;
        inside.requests += usize::from(begins);
        (number, begins.then(|| Turn { line: Arc::clone(self), over: false }))
    }

    /// Takes out a call; whether it was still waiting.
    fn leave(&self, number: u64) -> bool {
        let waiting = &mut self.lock().waiting;
        let place = waiting.binary_search_by_key(&number, |call| call.number);
        place.is_ok_and(|place| waiting.remove(place).is_some())
    }

    /// Takes out all that wait and are no more patient than this.
    fn no_more_patient(&self, than: Duration) -> Vec<Call> {
        let mut inside = self.lock();
        let waiting = std::mem::take(&mut inside.waiting);
        let (taken, left): (Vec<Call>, _) =
            waiting.into_iter().partition(|call| call.patience <= than);
        inside.waiting = left.into();
        taken
    }
}

/// The right to have one request under way.
struct Turn {
    line: Arc<Line>,
    over: bool,
}

impl Turn {
    /// The calls of the next request: the first, and of those as patient as it is as many as fit. `None` when none waits,
    /// and the turn is over.
    fn next(&mut self) -> Option<Vec<Call>> {
        let mut inside = self.line.lock();
        let mut calls: Vec<Call> = Vec::new();
        let mut passed_over: Vec<Call> = Vec::new();
        let (mut submissions, mut bytes) = (0, 0);
        while let Some(call) = inside.waiting.pop_front() {
            if call.said.is_closed() {
                continue;
            }
            if calls.first().is_some_and(|first| first.patience != call.patience) {
                passed_over.push(call);
                continue;
            }
            submissions += call.submissions.len();
            bytes += call.bytes();
            if !calls.is_empty() && (submissions > limits::TOGETHER || bytes > BATCH_BYTES) {
                passed_over.push(call);
                break;
            }
            calls.push(call);
        }
        for call in passed_over.into_iter().rev() {
            inside.waiting.push_front(call);
        }
        if calls.is_empty() {
            inside.requests -= 1;
            self.over = true;
            return None;
        }
        Some(calls)
    }
}

impl Drop for Turn {
    /// The runtime was stopped in the middle: who waits shall not wait for a request that nobody makes.
    fn drop(&mut self) {
        if !self.over {
            let mut inside = self.line.lock();
            inside.requests -= 1;
            inside.waiting.clear();
        }
    }
}

impl Client {
    /// Sends submissions to a node, with those of other calls; gives what it says of each, in order. It waits as long as
    /// the node has for its answer until they are sent.
    pub(super) async fn send_together(
        &self,
        at: usize,
        submissions: Vec<Submission>,
        (patience, end): (Duration, Instant),
    ) -> Vec<Answered> {
        let count = submissions.len();
        let (said, mut answer) = oneshot::channel();
        let call = |number| Call { number, submissions, patience, end, said };
        let (number, turn) = self.line(at).join(call);
        if let Some(turn) = turn {
            tokio::spawn(self.clone().carry(at, turn));
        }
        let none = |why: &str| vec![Answered::Not(Err(why.to_owned())); count];
        let sent_by = end.min(Instant::now() + patience);
        let answer = match timeout_at(sent_by, &mut answer).await {
            Err(_) if self.line(at).leave(number) => {
                return none("as much is on its way to it as it takes");
            }
            // With the others of a request it may have to be asked again.
            Err(_) => timeout_at(end.min(Instant::now() + 2 * patience), answer).await,
            in_time => in_time,
        };
        answer.ok().and_then(Result::ok).unwrap_or_else(|| none("no answer in time"))
    }

    /// Sends what waits for a node, in one request after the other.
    async fn carry(self, at: usize, mut turn: Turn) {
        let mut parts: Vec<Vec<Call>> = Vec::new();
        while let Some(mut calls) = parts.pop().or_else(|| turn.next()) {
            calls.retain(|call| !call.said.is_closed());
            if calls.is_empty() {
                continue;
            }
            let sent: Vec<Submission> =
                calls.iter().flat_map(|call| call.submissions.iter().cloned()).collect();
            let patience = calls.first().map(|call| call.patience).unwrap_or_default();
            let end = calls.iter().map(|call| call.end).max().unwrap_or_else(Instant::now);
            match self.request(at, sent, (patience, end)).await {
                Heard::Each(said) => {
                    let mut said = said.into_iter();
                    for call in calls {
                        let of_call = said.by_ref().take(call.submissions.len()).collect();
                        call.answer(of_call);
                    }
                }
                // One of them may be the reason, and the others have nothing to do with it.
                Heard::These(_) if calls.len() > 1 => {
                    let second = calls.split_off(calls.len() / 2);
                    parts.extend([second, calls]);
                }
                Heard::These(said) => calls.into_iter().for_each(|call| call.answer_all(&said)),
                // Who waits, and is no more patient, would hear the same, only later.
                Heard::Any(said) => {
                    let waiting = turn.line.no_more_patient(patience);
                    let rest = parts.drain(..).flatten().chain(waiting);
                    calls.into_iter().chain(rest).for_each(|call| call.answer_all(&said));
                }
            }
        }
    }

    /// Sends one request.
    async fn request(
        &self,
        at: usize,
        sent: Vec<Submission>,
        (patience, end): (Duration, Instant),
    ) -> Heard {
        if let Some(left) = self.rest_of(at) {
            let why = "it asked for time before more is submitted".to_owned();
            return Heard::Any(Answered::Not(Ok(Reply::Busy { why, after: Some(left) })));
        }
        let until = || end.min(Instant::now() + patience);
        let submissions = List::new(sent.clone()).expect("what one request holds");
        let ask = Ask::Submit(codec::encode(&Batch { submissions }));
        let node = &self.nodes()[at];
        let bytes = match self.ask_node(node, &ask, until()).await {
            Ok(Reply::Answer(bytes)) => bytes,
            refused @ Ok(Reply::Refused(_)) => return Heard::These(Answered::Not(refused)),
            other => {
                if let Ok(Reply::Busy { after: Some(time), .. }) = &other {
                    self.let_rest(at, *time);
                }
                return Heard::Any(Answered::Not(other));
            }
        };
        let (genesis, seals, address) = (self.genesis_shared(), self.seals(), node.clone());
        let believe = Arc::new(move |bytes: &[u8], sets: &ProvenSets| {
            answer::batch((&genesis, sets, &seals), (&address, &sent), bytes)
        });
        match self.believe((node, until()), bytes, &believe).await {
            Ok(answers) => {
                if let Some(time) = answers.iter().find_map(Answered::asks_for_time) {
                    self.let_rest(at, time);
                }
                Heard::Each(answers)
            }
            Err(NotBelieved::Lied(why)) => Heard::Any(Answered::Lied(why)),
            Err(NotBelieved::NoSets(reply)) => Heard::Any(Answered::Not(reply)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::tests::some_submission;
    use tokio::sync::oneshot::error::TryRecvError;

    struct Calls {
        line: Arc<Line>,
        answers: Vec<oneshot::Receiver<Vec<Answered>>>,
    }

    impl Calls {
        /// A call with so many submissions.
        fn join(&mut self, count: usize) -> Option<Turn> {
            self.join_with(count, limits::PATIENCE).1
        }

        fn join_with(&mut self, count: usize, patience: Duration) -> (u64, Option<Turn>) {
            let (said, answer) = oneshot::channel();
            let end = Instant::now();
            self.answers.push(answer);
            let submissions = vec![some_submission(); count];
            self.line.join(|number| Call { number, submissions, patience, end, said })
        }
    }

    fn counts(calls: Option<Vec<Call>>) -> Vec<usize> {
        calls.into_iter().flatten().map(|call| call.submissions.len()).collect()
    }

    #[test]
    fn what_waits_goes_with_the_next_request_as_far_as_it_fits() {
        let mut calls = Calls { line: Arc::default(), answers: Vec::new() };
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..limits::REQUESTS_TO_NODE {
            let mut turn = calls.join(1).unwrap();
            assert_eq!(counts(turn.next()), [1]);
            turns.push(turn);
        }
        for count in [2, 3, limits::TOGETHER, 1, 2 * limits::TOGETHER, 1] {
            assert!(calls.join(count).is_none(), "as many are under way as may be");
        }
        // Somebody gave up.
        calls.answers.remove(limits::REQUESTS_TO_NODE + 1);
        assert_eq!(counts(turns[0].next()), [2]);
        assert_eq!(counts(turns[1].next()), [limits::TOGETHER]);
        assert_eq!(counts(turns[1].next()), [1]);
        assert_eq!(counts(turns[0].next()), [2 * limits::TOGETHER]);
        assert_eq!(counts(turns[2].next()), [1]);
        assert!(turns[2].next().is_none());
        assert!(calls.join(1).is_some(), "a turn that is over is free for another");
    }

    #[test]
    fn who_waited_long_enough_leaves_and_who_is_patient_goes_with_the_patient() {
        let mut calls = Calls { line: Arc::default(), answers: Vec::new() };
        let mut turn = calls.join(1).unwrap();
        assert_eq!(counts(turn.next()), [1]);
        assert!(!calls.line.leave(1), "it was sent");
        let (impatient, patient) = (limits::PATIENCE, 2 * limits::PATIENCE);
        let waiting = [(2, impatient), (3, patient), (4, patient), (5, impatient)];
        let _turns = waiting.map(|(count, patience)| calls.join_with(count, patience));
        let (number, _turn) = calls.join_with(6, impatient);
        assert!(calls.line.leave(number) && !calls.line.leave(number));
        assert_eq!(counts(turn.next()), [2, 5]);
        assert_eq!(counts(turn.next()), [3, 4]);
        assert!(turn.next().is_none());
    }

    #[test]
    fn nobody_waits_for_a_request_that_was_given_up() {
        let mut calls = Calls { line: Arc::default(), answers: Vec::new() };
        let turns: Vec<Turn> =
            (0..limits::REQUESTS_TO_NODE).filter_map(|_| calls.join(1)).collect();
        drop(turns);
        let mut answers = calls.answers.iter_mut();
        assert!(answers.all(|answer| matches!(answer.try_recv(), Err(TryRecvError::Closed))));
        assert!(calls.join(1).is_some());
    }
}
