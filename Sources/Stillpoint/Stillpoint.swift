// The face: what an embedder imports. It adds nothing; it names what there is for him on the floors below, one
// declaration at a time, so that their own machinery (records, heaps, headers, locks) stays out of his sight.

// Interpreters and threads.
@_exported public import class StillpointInterpreters.Interpreter
@_exported public import class StillpointInterpreters.Runtime
@_exported public import enum StillpointInterpreters.LockMode
@_exported public import enum StillpointInterpreters.RuntimeError
@_exported public import protocol StillpointInterpreters.BuiltinObject
@_exported public import struct StillpointInterpreters.BorrowedObject
@_exported public import struct StillpointInterpreters.HostThread
@_exported public import struct StillpointInterpreters.InterpreterStatistics
@_exported public import struct StillpointInterpreters.ManagedThread
@_exported public import struct StillpointInterpreters.RuntimeOptions
@_exported public import struct StillpointInterpreters.ShutdownReport
@_exported public import struct StillpointInterpreters.StartedThread
@_exported public import struct StillpointInterpreters.StoppedInterpreter

// Collections.
@_exported public import enum StillpointCollectors.CollectionError
@_exported public import struct StillpointCollectors.CollectionReport
@_exported public import struct StillpointCollectors.HeapCensus
@_exported public import struct StillpointCollectors.TypeStatistics

// Objects.
@_exported public import enum StillpointObjects.BytesHash
@_exported public import enum StillpointObjects.ManagedArray
@_exported public import enum StillpointObjects.ManagedBytes
@_exported public import enum StillpointObjects.ManagedDictionary
@_exported public import enum StillpointObjects.ManagedList
@_exported public import enum StillpointObjects.ManagedObject
@_exported public import enum StillpointObjects.TypeError
@_exported public import protocol StillpointObjects.ManagedPayload
@_exported public import struct StillpointObjects.Field
@_exported public import struct StillpointObjects.Handle
@_exported public import struct StillpointObjects.ManagedType

// What they are made of, as far as it is seen.
@_exported public import enum StillpointThreads.ThreadStateError
@_exported public import struct StillpointMemory.OutOfMemory

// The system.
@_exported public import enum StillpointPlatform.EnvironmentOptions
@_exported public import enum StillpointPlatform.InterpreterLockChoice
@_exported public import enum StillpointPlatform.ProcessMemory
@_exported public import enum StillpointPlatform.Processors
@_exported public import struct StillpointPlatform.DurationSummary
@_exported public import struct StillpointPlatform.EnvironmentOption
@_exported public import struct StillpointPlatform.OptionError
@_exported public import struct StillpointPlatform.OptionRow
@_exported public import struct StillpointPlatform.PlatformError
@_exported public import typealias StillpointPlatform.MonotonicClock
