//! The memory of one engine of JavaScript, which can be set back to a moment before: what the engine had allocated until
//! then lies in one piece, of which a copy is kept; all it allocates later lies outside and is given up.
#![expect(unsafe_code, reason = "an allocator hands out raw memory; there is no safe way to set an engine back")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rquickjs::allocator::Allocator;

/// Bytes of the piece; an engine that is ready takes a third of it.
const PIECE: usize = 1 << 20;
/// Of every block, and of the words before it.
const ALIGN: usize = 16;
/// `Header::place` of a block in the piece.
const IN_PIECE: usize = usize::MAX;

/// What stands before every block.
#[repr(C, align(16))]
struct Header {
    /// Bytes of the block.
    size: usize,
    /// Where in the list of blocks outside it is.
    place: usize,
}

const HEADER: usize = size_of::<Header>();

/// A handle. The engine has one as its allocator, whoever sets it back another.
pub(crate) struct Heap(Arc<Mutex<Memory>>);

struct Memory {
    piece: NonNull<u8>,
    /// Bytes of the piece that are in use.
    used: usize,
    /// The piece as it was when it was kept.
    kept: Option<Box<[u8]>>,
    outside: Vec<NonNull<Header>>,
}

// SAFETY: the memory belongs to this value alone, and whoever uses it holds the lock.
unsafe impl Send for Memory {}

impl Heap {
    /// Two handles to a new heap; `None` without memory.
    pub(crate) fn new() -> Option<(Heap, Heap)> {
        // SAFETY: the layout is not empty.
        let piece = NonNull::new(unsafe { alloc_zeroed(piece_layout()?) })?;
        let memory = Arc::new(Mutex::new(Memory { piece, used: 0, kept: None, outside: Vec::new() }));
        Some((Heap(Arc::clone(&memory)), Heap(memory)))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what there is, to be set back to. False where it has outgrown the piece.
    pub(crate) fn keep(&self) -> bool {
        let mut memory = self.memory();
        if !memory.outside.is_empty() {
            return false;
        }
        // SAFETY: the piece has at least `used` bytes and was zeroed when it was allocated.
        let kept = unsafe { std::slice::from_raw_parts(memory.piece.as_ptr(), memory.used) };
        memory.kept = Some(kept.into());
        true
    }

    /// Sets the memory back to what was kept.
    ///
    /// # Safety
    /// Nothing may run in the engine, and of its objects only those may be held that were held when they were kept,
    /// equally often.
    pub(crate) unsafe fn set_back(&self) {
        let mut memory = self.memory();
        let Some(kept) = memory.kept.take() else { return };
        memory.free_outside();
        // SAFETY: a copy of the beginning of the piece, which is as long at least.
        unsafe { ptr::copy_nonoverlapping(kept.as_ptr(), memory.piece.as_ptr(), kept.len()) };
        memory.kept = Some(kept);
    }
}

fn piece_layout() -> Option<Layout> {
    Layout::from_size_align(PIECE, ALIGN).ok()
}

/// The layout of a block outside with what stands before it.
fn outside(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, ALIGN).ok()
}

/// What stands before a block.
///
/// # Safety
/// The block is one of ours and still allocated.
unsafe fn header(block: *mut u8) -> *mut Header {
    // SAFETY: every block was handed out behind a header.
    unsafe { block.sub(HEADER).cast() }
}

impl Memory {
    fn take(&mut self, size: usize, zeroed: bool) -> *mut u8 {
        match self.take_in_piece(size) {
            Some(block) => block,
            None => self.take_outside(size, zeroed).unwrap_or(ptr::null_mut()),
        }
    }

    /// A block of zeros. None once the piece is kept, or where it is full.
    fn take_in_piece(&mut self, size: usize) -> Option<*mut u8> {
        if self.kept.is_some() {
            return None;
        }
        let rounded = size.checked_next_multiple_of(ALIGN)?;
        let end = self.used.checked_add(HEADER)?.checked_add(rounded)?;
        if end > PIECE {
            return None;
        }
        // SAFETY: `used..end` is within the piece and nobody's yet; `used` is a multiple of the alignment.
        let block = unsafe {
            let start = self.piece.as_ptr().add(self.used);
            start.cast::<Header>().write(Header { size: rounded, place: IN_PIECE });
            start.add(HEADER)
        };
        self.used = end;
        Some(block)
    }

    fn take_outside(&mut self, size: usize, zeroed: bool) -> Option<*mut u8> {
        let layout = outside(size)?;
        // SAFETY: the layout is not empty; what was allocated has room for a header before the block.
        unsafe {
            let start = NonNull::new(if zeroed { alloc_zeroed(layout) } else { alloc(layout) })?.cast::<Header>();
            start.write(Header { size, place: self.outside.len() });
            self.outside.push(start);
            Some(start.as_ptr().add(1).cast())
        }
    }

    /// # Safety
    /// See `header`.
    unsafe fn give(&mut self, block: *mut u8) {
        // SAFETY: as above. A block of the piece stays, until the memory is set back or freed.
        unsafe {
            let freed = header(block);
            let Header { size, place } = freed.read();
            if place == IN_PIECE {
                return;
            }
            self.outside.swap_remove(place);
            if let Some(moved) = self.outside.get(place) {
                (*moved.as_ptr()).place = place;
            }
            if let Some(layout) = outside(size) {
                dealloc(freed.cast(), layout);
            }
        }
    }

    /// # Safety
    /// See `header`.
    unsafe fn resize(&mut self, block: *mut u8, size: usize) -> Option<*mut u8> {
        // SAFETY: as above; the bytes that are copied belong to both blocks.
        unsafe {
            let old = header(block);
            let Header { size: had, place } = old.read();
            if place == IN_PIECE {
                if size <= had {
                    return Some(block);
                }
                let moved = NonNull::new(self.take(size, false))?;
                ptr::copy_nonoverlapping(block, moved.as_ptr(), had);
                return Some(moved.as_ptr());
            }
            let (layout, wanted) = (outside(had)?, outside(size)?);
            let start = NonNull::new(realloc(old.cast(), layout, wanted.size()))?.cast::<Header>();
            (*start.as_ptr()).size = size;
            if let Some(known) = self.outside.get_mut(place) {
                *known = start;
            }
            Some(start.as_ptr().add(1).cast())
        }
    }

    fn free_outside(&mut self) {
        for block in self.outside.drain(..) {
            // SAFETY: allocated with this layout and in the list, so not freed yet.
            unsafe {
                if let Some(layout) = outside(block.read().size) {
                    dealloc(block.as_ptr().cast(), layout);
                }
            }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.free_outside();
        if let Some(layout) = piece_layout() {
            // SAFETY: allocated with this layout; the engine, which had the other handle, is gone.
            unsafe { dealloc(self.piece.as_ptr(), layout) };
        }
    }
}

// SAFETY: blocks are aligned to 16 bytes, as long as asked for, and not handed out twice.
unsafe impl Allocator for Heap {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        self.memory().take(size, false)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        match count.checked_mul(size) {
            Some(size) => self.memory().take(size, true),
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        // SAFETY: promised by the caller.
        unsafe { self.memory().give(block) }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return self.alloc(size);
        }
        // SAFETY: promised by the caller.
        unsafe { self.memory().resize(block, size).unwrap_or(ptr::null_mut()) }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: promised by the caller.
        unsafe { (*header(block)).size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(block: *mut u8, byte: u8, count: usize) {
        // SAFETY: the block is as long, by the test.
        unsafe { ptr::write_bytes(block, byte, count) };
    }

    fn read(block: *mut u8, count: usize) -> Vec<u8> {
        // SAFETY: the block is as long and was written, by the test.
        unsafe { std::slice::from_raw_parts(block, count).to_vec() }
    }

    #[test]
    fn what_was_kept_comes_back_and_what_came_later_goes() {
        let (mut heap, handle) = Heap::new().unwrap();
        let first = heap.alloc(100);
        write(first, 1, 100);
        assert!(handle.keep());
        for round in 0..3 {
            let (later, zeroed) = (heap.alloc(5000), heap.calloc(3, 7));
            assert_eq!(read(zeroed, 21), [0; 21], "round {round}");
            write(first, 2, 100);
            write(later, 3, 5000);
            // SAFETY: blocks of this heap, each used no more once it was given back.
            unsafe {
                let grown = heap.realloc(first, 5000);
                assert_eq!((read(grown, 100), grown == first), (vec![2; 100], false));
                let grown_again = heap.realloc(later, 50_000);
                assert_eq!((read(grown_again, 5000), Heap::usable_size(grown_again)), (vec![3; 5000], 50_000));
                heap.dealloc(zeroed);
                assert_eq!(handle.memory().outside.len(), 2);
                handle.set_back();
            }
            assert_eq!(read(first, 100), [1; 100]);
            assert!(handle.memory().outside.is_empty());
        }
    }

    #[test]
    fn blocks_outside_are_found_whatever_goes_first() {
        let (mut heap, handle) = Heap::new().unwrap();
        assert!(handle.keep());
        let blocks: Vec<*mut u8> = (1..=5).map(|size| heap.alloc(size * 1000)).collect();
        for at in [1, 4, 0, 2, 3] {
            // SAFETY: each block is freed once.
            unsafe { heap.dealloc(blocks[at]) };
        }
        assert!(handle.memory().outside.is_empty());
    }

    #[test]
    fn what_has_outgrown_the_piece_is_not_kept() {
        let (mut heap, handle) = Heap::new().unwrap();
        let large = heap.alloc(PIECE + 1);
        write(large, 7, PIECE + 1);
        assert!(!handle.keep());
        assert!(heap.alloc(usize::MAX - 8).is_null() && heap.calloc(usize::MAX, 2).is_null());
    }
}
