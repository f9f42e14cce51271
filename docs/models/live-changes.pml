/*
 * How a live change reaches a namespace, as packages/store and packages/ingest do it: one document, two namespaces, everybody who writes it. Each atomic block
 * is one database transaction; between two of them anybody else may act, and a process may die.
 *
 *   putter    draws a version, reads its file, writes the document and a change for each namespace in one transaction
 *   run       draws a version, reads its source late, writes the document only over an older one, and fills namespace 0 from a checkpoint;
 *             for namespace 1 its change is queued
 *   deleter   writes a tombstone and removes the chunks at once
 *   drainer   claims a change, reads the document, embeds, commits; namespace 1 has two, because a claim keeps nobody out
 *
 * Safety, held at every commit: no chunk of an older version over a newer one, none of a deleted document, none newer than the document. And when
 * nothing can move any more, every namespace shows exactly the document: no change is lost.
 *
 * scripts/check-models proves it, and proves that it can fail: with -DNO_VERSION_CHECK a commit does not look at the document again, with -DQUEUED_APART the
 * change is written in a transaction of its own. Both must be found wrong.
 */
#define NAMESPACES 2
#define CRASHES 2

byte drawn = 1;          /* the sequence: version 1 is stored and shown at the start */
byte version = 1;        /* of the document, or of its tombstone */
bool deleted = false;
byte shown[NAMESPACES] = 1;   /* version of the chunks; 0: none */
byte newest[NAMESPACES] = 1;  /* newest version ever shown */
bool queued[NAMESPACES] = false;
bool cursor = false;     /* the run's checkpoint has passed the document */
byte crashes = 0;

inline queue_for_all() { queued[0] = true; queued[1] = true }

/* A batch of a fill, and a live write: both lock the document's row first. */
inline commit(n, read) {
#ifdef NO_VERSION_CHECK
  if
  :: true ->
#else
  if
  :: !deleted && read == version ->
#endif
    assert(!deleted);
    assert(read <= version);
    assert(read >= newest[n]);
    shown[n] = read;
    newest[n] = read
  :: else
  fi
}

proctype putter() {
  byte mine;
  atomic { drawn++; mine = drawn }
  atomic {
    if
    :: mine > version ->
      version = mine;
      deleted = false;
#ifndef QUEUED_APART
      queue_for_all()
#endif
    :: else -> goto done /* superseded */
    fi
  }
#ifdef QUEUED_APART
  if
  :: atomic { queue_for_all() }
  :: atomic { crashes < CRASHES -> crashes++ } /* died in between */
  fi;
#endif
done: skip
}

proctype deleter() {
  byte mine;
  atomic { drawn++; mine = drawn }
  atomic {
    if
    :: mine > version ->
      version = mine;
      deleted = true;
      shown[0] = 0; shown[1] = 0;
      queued[0] = false; queued[1] = false
    :: else
    fi
  }
}

proctype refill() {
  byte mine, read;
  atomic { drawn++; mine = drawn }
  atomic { /* intake; its own namespace is covered by its shard */
    if
    :: mine > version -> version = mine; deleted = false; queued[1] = true
    :: else
    fi
  }
fill:
  if
  :: cursor -> goto done
  :: else
  fi;
  atomic { read = (deleted || shown[0] == version -> 0 : version) }
  if
  :: atomic { crashes < CRASHES -> crashes++ }; goto fill /* died; another process goes on from the checkpoint */
  :: read == 0 -> atomic { cursor = true }
  :: read != 0 -> atomic { commit(0, read); cursor = true }
  fi;
done: skip
}

proctype drainer(byte n) {
  byte read;
claim:
end_idle: /* nothing waits: the only place where it may stand for ever */
  atomic { queued[n] -> read = (deleted || shown[n] == version -> 0 : version) }
  if
  :: atomic { crashes < CRASHES -> crashes++ } /* died with its claim, which runs out */
  :: atomic {
      if
      :: read == 0 -> /* looks again under the lock before the change leaves the queue */
        if
        :: deleted || shown[n] == version -> queued[n] = false
        :: else
        fi
      :: else ->
        if
        :: shown[n] == version && !deleted -> skip /* a fill was faster */
        :: else -> commit(n, read)
        fi;
        if
        :: deleted || shown[n] == version -> queued[n] = false
        :: else
        fi
      fi
    }
  fi;
  read = 0;
  goto claim
}

init {
  atomic {
    run putter(); run putter(); run deleter(); run refill();
    run drainer(0); run drainer(1); run drainer(1)
  }
  timeout; /* nothing can move any more */
  byte n = 0;
  do
  :: n < NAMESPACES ->
    assert(!queued[n]);
    assert(!deleted || shown[n] == 0);
    assert(deleted || shown[n] == version);
    n++
  :: else -> break
  od
}
