// The C allocator, in front of the C library's own: what a model thread is given is fresh memory, and what others did
// to those bytes before does not race with it. (Swift's objects come from here; their reference counts are not
// reported, so a free is not checked. Memory of the code under test says itself when it is freed: `ModelMemory.freed`.)
#include <errno.h>

#include "CStillpointModel.h"

#if defined(__GLIBC__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  void *memory = __libc_malloc(size);
  if (memory != NULL) sp_model_allocated(memory, size);
  return memory;
}

void *calloc(size_t count, size_t size) {
  void *memory = __libc_calloc(count, size);
  if (memory != NULL) sp_model_allocated(memory, count * size);
  return memory;
}

void *realloc(void *old, size_t size) {
  void *memory = __libc_realloc(old, size);
  if (memory != NULL) sp_model_allocated(memory, size);
  return memory;
}

void *memalign(size_t alignment, size_t size) {
  void *memory = __libc_memalign(alignment, size);
  if (memory != NULL) sp_model_allocated(memory, size);
  return memory;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (block == NULL) return ENOMEM;
  *memory = block;
  return 0;
}
#endif
