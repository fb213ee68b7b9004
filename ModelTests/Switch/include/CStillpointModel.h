// What the model checker needs and Swift cannot say: a switch from one stack to another, the state of the exploring OS
// thread that every operation asks for first, plain memory operations by width, and traps that become failures.
//
// Nothing here is inlined into Swift: the executable of the models is instrumented for plain accesses, and the
// checker's own must not be reported to itself.
#ifndef CSTILLPOINTMODEL_H
#define CSTILLPOINTMODEL_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Where an OS thread is ----------------------------------------------------------------------------------------

enum {
  /// No exploration on this OS thread: every operation is the plain one.
  SP_MODEL_OUTSIDE = 0,
  /// A set-up, an invariant or a final check: plain operations, of which the exploration knows nothing.
  SP_MODEL_QUIET = 1,
  /// The body of a model thread: operations are steps, plain accesses are noted.
  SP_MODEL_THREAD = 2,
  /// The checker's own code on behalf of a model thread.
  SP_MODEL_CHECKER = 3,
};

/// The mode of the calling OS thread. SP_MODEL_THREAD becomes SP_MODEL_CHECKER until the mode is set again.
int sp_model_enter(void);
int sp_model_mode(void);
void sp_model_set_mode(int mode);

/// The execution that this OS thread explores.
void *_Nullable sp_model_execution(void);
void sp_model_set_execution(void *_Nullable execution);

// Fibres -------------------------------------------------------------------------------------------------------

/// A stack of its own. The exploring OS thread's own stack is one, too, made by `sp_fibre_adopt`.
struct sp_fibre;

/// Null when there is no memory. `stack` has `byteCount` bytes and belongs to the caller.
struct sp_fibre *_Nullable sp_fibre_create(void *stack, size_t byteCount, void (*body)(void *_Nullable),
                                           void *_Nullable argument);
struct sp_fibre *_Nullable sp_fibre_adopt(void);
void sp_fibre_destroy(struct sp_fibre *fibre);
/// Leaves `from` where it stands and goes on where `to` was left. `body` returns only under `sp_fibre_finish`.
void sp_fibre_switch(struct sp_fibre *from, struct sp_fibre *to);
/// The same; comes back when the body of `fibre` has returned.
void sp_fibre_finish(struct sp_fibre *from, struct sp_fibre *fibre);

/// Memory at the same address in every process if it is free there, so that hashes of addresses repeat; zeroed. What it
/// points to is no leak.
void *_Nullable sp_model_map(size_t byteCount, uintptr_t wanted);
void sp_model_unmap(void *address, size_t byteCount);
/// Makes the page at `address` trap.
void sp_model_guard(void *address);
void sp_model_clear(void *address, size_t byteCount);

// Plain memory -------------------------------------------------------------------------------------------------

/// Sequentially consistent, whatever was asked for. `byteCount` is 1, 2, 4 or 8.
uint64_t sp_plain_load(const void *address, size_t byteCount);
void sp_plain_store(void *address, size_t byteCount, uint64_t value);
/// Whether it held `*expected`, which becomes what it held.
int sp_plain_compare_exchange(void *address, size_t byteCount, uint64_t *expected, uint64_t desired);
void sp_plain_fence(void);

// Plain accesses of a model thread -----------------------------------------------------------------------------

/// Called for each, in mode SP_MODEL_CHECKER.
typedef void (*sp_model_access_hook)(uintptr_t address, size_t byteCount, int isWrite, uintptr_t instruction);
typedef void (*sp_model_memory_hook)(uintptr_t address, size_t byteCount, int isFreed);
/// Of the calling OS thread.
void sp_model_set_hooks(sp_model_access_hook access, sp_model_memory_hook memory);
/// What the compiler's callbacks come to; nothing unless a model thread runs.
void sp_model_access(const void *address, size_t byteCount, int isWrite, const void *_Nullable instruction);
/// How many regions the running fibre is in whose accesses the compiler wants ignored (`deinit`, where nobody else can
/// see the object).
extern _Thread_local int sp_model_ignored;
/// What an allocator tells; nothing unless a model thread runs.
void sp_model_allocated(const void *address, size_t byteCount);
void sp_model_freed(const void *address, size_t byteCount);
/// How many bytes the C allocator has given for a block.
size_t sp_model_block_size(const void *block);

// Traps --------------------------------------------------------------------------------------------------------

/// Called on a signal stack when an OS thread traps while it explores; `mode` says in whose code. It leaves by a switch
/// of stacks, or returns if the process is to die.
typedef void (*sp_model_trap_hook)(int signal, int mode);
/// From here to `sp_model_release_traps`, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE and SIGABRT of this OS thread go to
/// `hook`. Other OS threads may do the same at the same time.
/// Not where a sanitizer handles them.
void sp_model_catch_traps(sp_model_trap_hook hook);
void sp_model_release_traps(void);
int sp_model_is_sanitized(void);
void sp_model_write_error(const char *text, size_t byteCount);

// Symbols and time ---------------------------------------------------------------------------------------------

/// The line and function of an instruction's caller, by `llvm-symbolizer` if that is installed; else the file and how
/// far in.
void sp_model_describe(uintptr_t instruction, char *text, size_t capacity);
uint64_t sp_model_wall_nanoseconds(void);
/// Of this OS thread.
uint64_t sp_model_processor_nanoseconds(void);

#pragma clang assume_nonnull end
#endif
