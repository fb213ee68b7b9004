#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        eventModels,
        onceModels, readerWriterLockModels, sequenceLockModels, serviceSignalModels, reclamationModels,
        deferredQueueModels,
    ].flatMap { $0 }
}
#endif
