// The example of the README, compiled and run. The README quotes what stands between the two markers; a test of the
// repository compares them.

// README begins
import Stillpoint

struct Person: ManagedPayload {
    var age = 0
    var friend = Field<Person>()
    static var references: [PartialKeyPath<Person>] { [\.friend] }
}

func friendsAcrossThreads() throws -> CollectionReport {
    let runtime = try Runtime()
    let people = try runtime.makeType(Person.self)
    let interpreter = try runtime.makeInterpreter()
    let report = try interpreter.withThread { thread in
        let anna = try thread.make(people, Person(age: 7))
        let other = try interpreter.startThread(anna.copy(by: thread)) { thread, anna in
            let berta = try thread.make(people, Person(age: 8, friend: Field(anna)))
            anna.store(berta, into: \.friend, by: thread)  // a cycle, made on two threads
        }
        try other.join()
        try thread.withWorldStopped { print("nobody else runs") }
        anna.end(by: thread)  // the last handle: counting alone would keep the two for ever
        return try thread.collect()  // objectsFreed: 2
    }
    _ = try interpreter.shutdown()
    try runtime.shutdown()
    return report
}
// README ends
