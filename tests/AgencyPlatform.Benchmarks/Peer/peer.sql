-- The peer's tables. Texts compare by their bytes, as the platform's do.

-- The row lock on an agency's head makes its feed gapless: the next call of the agency waits for the commit. Its page has room for new versions of it.
CREATE TABLE heads (
  agency text COLLATE "C" PRIMARY KEY,
  sequence bigint NOT NULL,
  recorded_at bigint NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE api_keys (
  hash bytea PRIMARY KEY,
  agency text COLLATE "C" NOT NULL
);

-- The row lock on a CMO keeps two calls from taking the same minutes.
CREATE TABLE cmos (
  agency text COLLATE "C",
  cmo text COLLATE "C",
  weekly_limit integer NOT NULL,
  PRIMARY KEY (agency, cmo)
) WITH (fillfactor = 50);

-- What stands; a released booking is no booking any more.
CREATE TABLE bookings (
  agency text COLLATE "C",
  cmo text COLLATE "C",
  booking text COLLATE "C",
  client text COLLATE "C" NOT NULL,
  start_date date NOT NULL,
  end_date date NOT NULL,
  weekly_minutes integer NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (agency, cmo, booking)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- The feed, which also keeps each request's id, the hash of its payload and its answer.
CREATE TABLE feed (
  agency text COLLATE "C",
  sequence bigint,
  recorded_at bigint NOT NULL,
  type text NOT NULL,
  cmo text COLLATE "C" NOT NULL,
  booking text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  request_hash bytea NOT NULL,
  answer bytea NOT NULL,
  PRIMARY KEY (agency, sequence),
  UNIQUE (agency, request_id)
);

-- 0: booked. 1: it would be too much. 2: no such CMO. A booking or request id that is there already is a unique violation.
CREATE FUNCTION book(
  p_agency text, p_cmo text, p_booking text, p_client text, p_start date, p_end date, p_minutes integer, p_request uuid, p_hash bytea, p_answer bytea, p_now bigint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_limit integer;
  v_most bigint;
  v_sequence bigint;
  v_recorded bigint;
BEGIN
  SELECT weekly_limit INTO v_limit FROM cmos WHERE agency = p_agency AND cmo = p_cmo FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 2;
  END IF;

  -- A statement after the lock: it sees all that was committed before the lock was given.
  SELECT max(weeks.minutes) INTO v_most FROM (
    SELECT sum(b.weekly_minutes) AS minutes
    FROM bookings b JOIN generate_series(0, p_end - p_start - 1, 7) AS day ON b.start_date < p_start + day + 7 AND b.end_date > p_start + day
    WHERE b.agency = p_agency AND b.cmo = p_cmo
    GROUP BY day) weeks;
  IF coalesce(v_most, 0) + p_minutes > v_limit THEN
    RETURN 1;
  END IF;

  INSERT INTO bookings VALUES (p_agency, p_cmo, p_booking, p_client, p_start, p_end, p_minutes, p_now);
  UPDATE heads SET sequence = sequence + 1, recorded_at = greatest(recorded_at, p_now) WHERE agency = p_agency RETURNING sequence, recorded_at INTO v_sequence, v_recorded;
  INSERT INTO feed VALUES (p_agency, v_sequence, v_recorded, 'booked', p_cmo, p_booking, p_request, p_hash, p_answer);
  RETURN 0;
END $$;

-- 0: released. 2: no such booking. Giving minutes back needs no lock on the CMO.
CREATE FUNCTION release(p_agency text, p_cmo text, p_booking text, p_request uuid, p_hash bytea, p_answer bytea, p_now bigint)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_sequence bigint;
  v_recorded bigint;
BEGIN
  DELETE FROM bookings WHERE agency = p_agency AND cmo = p_cmo AND booking = p_booking;
  IF NOT FOUND THEN
    RETURN 2;
  END IF;

  UPDATE heads SET sequence = sequence + 1, recorded_at = greatest(recorded_at, p_now) WHERE agency = p_agency RETURNING sequence, recorded_at INTO v_sequence, v_recorded;
  INSERT INTO feed VALUES (p_agency, v_sequence, v_recorded, 'released', p_cmo, p_booking, p_request, p_hash, p_answer);
  RETURN 0;
END $$;
