#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        parkingModels, mutexModels, lockBitsModels, recursiveMutexModels,
        eventModels,
    ].flatMap { $0 }
}
#endif
