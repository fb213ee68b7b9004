#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        parkingModels, mutexModels, lockBitsModels, recursiveMutexModels,
        eventModels,
        onceModels, readerWriterLockModels, sequenceLockModels, serviceSignalModels, reclamationModels,
        deferredQueueModels,
    ].flatMap { $0 }
}
#endif
