use super::*;

fn links(weather: Weather) -> Links {
    Links::new(weather, 4, &mut Seeded::new(1))
}

fn calm() -> Weather {
    let latency = Latency::Uniform(1, 100);
    Weather { latency, loss: 0, repeat: 0, change: 0, ordered: false }
}

#[test]
fn what_is_sent_arrives_as_the_weather_is() {
    let count = |weather: Weather| {
        let mut links = links(weather);
        let all = (0..1_000).flat_map(|at| links.send(Millis::new(at), 0, 1)).collect::<Vec<_>>();
        (all.len(), all.iter().filter(|it| it.changed.is_some()).count())
    };
    assert_eq!(count(calm()), (1_000, 0));
    let (lossy, _) = count(Weather { loss: 300, ..calm() });
    let (repeated, _) = count(Weather { repeat: 300, ..calm() });
    let (_, changed) = count(Weather { change: 300, ..calm() });
    assert!((600..800).contains(&lossy), "{lossy}");
    assert!((1_200..1_400).contains(&repeated), "{repeated}");
    assert!((200..400).contains(&changed), "{changed}");
}

#[test]
fn an_ordered_network_delivers_in_order() {
    let falls = |ordered| {
        let mut links = links(Weather { ordered, ..calm() });
        let times = (0..100).map(|at| links.send(Millis::new(at), 0, 1)[0].at);
        let times: Vec<Millis> = times.collect();
        times.windows(2).filter(|pair| pair[0] > pair[1]).count()
    };
    assert_eq!(falls(true), 0);
    assert!(falls(false) > 10);
}

#[test]
fn each_shape_cuts_whom_it_names() {
    let cut = |shape: Shape, since| {
        let mut pairs = Vec::new();
        for from in 0..4 {
            let to = (0..4).filter(|to| *to != from && shape.cuts(since, from, *to));
            pairs.extend(to.map(|to| 10 * from + to));
        }
        pairs
    };
    let split = [2, 3, 12, 13, 20, 21, 30, 31];
    assert_eq!(cut(Shape::Split(0b0011), 0), split);
    assert_eq!(cut(Shape::Star(0), 0), [12, 13, 21, 23, 31, 32]);
    assert_eq!(cut(Shape::OneWay(0b0001), 0), [1, 2, 3]);
    assert_eq!(cut(Shape::Flapping(0b0011, 100), 99), split);
    assert!(cut(Shape::Flapping(0b0011, 100), 100).is_empty());
    assert_eq!(cut(Shape::Flapping(0b0011, 100), 200), split);
}

#[test]
fn cuts_end_and_heal() {
    let mut links = links(calm());
    links.cut(Shape::Split(1), Millis::new(10), Millis::new(50));
    assert!(links.send(Millis::new(59), 0, 1).is_empty());
    assert_eq!(links.send(Millis::new(60), 0, 1).len(), 1);
    links.cut(Shape::Split(1), Millis::new(60), Millis::new(50));
    assert!(links.are_cut(Millis::new(61), 1, 0));
    links.heal();
    assert!(!links.are_cut(Millis::new(61), 1, 0));
}

#[test]
fn every_latency_keeps_its_bounds_for_all_nodes() {
    let mut random = Seeded::new(5);
    for _ in 0..500 {
        let latency = Latency::drawn(&mut random, 11);
        for (from, to) in [(0, 1), (1, 0), (10, 3)] {
            let time = latency.draw(&mut random, from, to);
            assert!((1..=801).contains(&time), "{latency} took {time}");
        }
    }
}
