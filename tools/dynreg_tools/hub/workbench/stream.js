// The hub's stream of events: followed for ever, over restarts of the hub, each event once.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/**
 * Calls onEvent(event) for the last events and each to come, and onState(live) at each change.
 *
 * After a restart the hub counts from 1 again, so the last events are always asked for, and those
 * already seen are known by number and time.
 */
export function follow(onEvent, onState) {
  let lastId = 0;
  let lastAt = "";
  let wait = FIRST_WAIT_MS;

  function connect() {
    const source = new EventSource("events?after=0");
    source.onopen = () => {
      wait = FIRST_WAIT_MS;
      onState(true);
    };
    source.onmessage = (message) => {
      const id = Number(message.lastEventId);
      const event = JSON.parse(message.data);
      if (id <= lastId && event.at <= lastAt) return;
      const missed = lastId && id > lastId + 1 ? id - lastId - 1 : 0;
      lastId = id;
      lastAt = event.at;
      if (missed) onEvent({ event: "missed", at: event.at, count: missed });
      onEvent(event);
    };
    source.onerror = () => {
      source.close();
      onState(false);
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    };
  }

  connect();
}
