#if ModelCheck
// All models, floor by floor.

let allModels: [ProtocolModel] = [
    eventModels,
].flatMap { $0 }
#endif
