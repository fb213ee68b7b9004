#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        parkingModels, mutexModels, lockBitsModels, recursiveMutexModels,
        eventModels,
        criticalSectionModels, interpreterLockModels, dueWorkModels, serviceModels, lifeCycleModels,
        onceModels, readerWriterLockModels, sequenceLockModels, serviceSignalModels, reclamationModels,
        deferredQueueModels,
        stopModels, stopTurnModels, heldThreadModels, threadLifeModels, threadRecordModels,
    ].flatMap { $0 }.map { $0.showing(mustShow[$0.name] ?? []) }
}

/// What some run of a model must come to: a model whose threads never meet would pass, too.
let mustShow = [
    "parking: a deadline against an unpark": ["timed out", "woken"],
    "mutex: a hand-off against a deadline": ["locked", "timed out"],
    "event: a deadline against set": ["set", "too late"],
    "once: a body throws, and its thread tries again": ["thrown", "too late to throw"],
    "sequence lock: a reader against two writers": ["read while it was written"],
    "sequence lock: a write is abandoned": ["read while it was written"],
    "service signal: deadlines": ["taken", "the deadline came first"],
    "reclamation: freed by one who did not wait": ["freed", "too early"],
    "critical section: ends detached, its interpreter closed": ["attached again", "refused"],
    "life cycle: clear against attach": ["attached", "cleared before"],
    "life cycle: clear against the first attach": ["attached", "cleared before"],
    "life: cleared against attach": ["cleared"],
    "stops: of different interpreters": ["both at once"],
]
#endif
