import type { FeaturesChangedListener, ResourceUpdatedListener } from '../../upstream/server-runtime.ts';
import { toListedServer } from './discovery-scheduler.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Receiver of resource updates: the pipeline. */
interface ResourceUpdates {
  resourceUpdated: ResourceUpdatedListener;
}

/**
 * Hands the events of tool servers on. It exists before the upstream pool, which needs its listeners, and before the
 * pipeline, which needs the pool. No session is open before `connect`, so that no event is lost.
 */
export class UpstreamEvents {
  #snapshots: SnapshotStore | undefined;
  #updates: ResourceUpdates | undefined;

  /** Names the receivers. To be called once, before the first session opens. */
  connect(snapshots: SnapshotStore, updates: ResourceUpdates): void {
    this.#snapshots = snapshots;
    this.#updates = updates;
  }

  /** A session listed other features than were known, or could list none. */
  readonly featuresChanged: FeaturesChangedListener = (server, change) =>
    void this.#snapshots?.recordDiscovery(
      server,
      'error' in change ? { status: 'failed', error: change.error } : toListedServer(change),
    );

  /** A resource changed that principals are subscribed to. */
  readonly resourceUpdated: ResourceUpdatedListener = (server, uri, principalIds) =>
    this.#updates?.resourceUpdated(server, uri, principalIds);
}
