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
    ].flatMap { $0 }
}
#endif
