-- Roles of the platform's database. Run it once as a superuser in the platform's empty database, before the program's first start; then set passwords
-- (\password) or whatever pg_hba.conf asks for:
--
--   createdb agencyplatform && psql -d agencyplatform -f roles.sql
--
--   agencyplatform_owner   owns the tables, creates and migrates them, rebuilds read models, verifies all chains: `migrate`, `journal rebuild`,
--                          `journal verify`. As the owner it sees the rows of all agencies.
--   agencyplatform_app     what the serving program connects as. It neither owns nor creates anything, does not bypass row-level security, and in each
--                          transaction sees and writes the rows of the agencies that it has named (app.agencies) and no others. Deadlines of all
--                          agencies it can only claim, through the function claim_deadlines, which shows keys and due times.
--
-- It may be run again at any time. Run it again once the tables are there, and the application can no longer change or delete an event.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'agencyplatform_owner') THEN
    CREATE ROLE agencyplatform_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'agencyplatform_app') THEN
    CREATE ROLE agencyplatform_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
  EXECUTE format('ALTER DATABASE %I OWNER TO agencyplatform_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO agencyplatform_app', current_database());
END
$$;

ALTER SCHEMA public OWNER TO agencyplatform_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO agencyplatform_app;

-- What the owner creates from now on, in this and every later migration.
ALTER DEFAULT PRIVILEGES FOR ROLE agencyplatform_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO agencyplatform_app;
ALTER DEFAULT PRIVILEGES FOR ROLE agencyplatform_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE agencyplatform_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO agencyplatform_app;

DO $$
BEGIN
  IF to_regclass('public.events') IS NOT NULL THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON events FROM agencyplatform_app;
    REVOKE DELETE, TRUNCATE ON heads FROM agencyplatform_app;
    REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON schema_info, read_models FROM agencyplatform_app;
    IF to_regclass('public.restores') IS NOT NULL THEN
      REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON restores FROM agencyplatform_app;
    END IF;
  END IF;

  -- Who is a member of the cluster: each process writes itself and votes on the others; no tenant's data.
  IF to_regclass('public.orleansheartbeat') IS NOT NULL THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON orleansmembership, orleansmembershipversion, orleansheartbeat TO agencyplatform_app;
    REVOKE TRUNCATE ON orleansmembership, orleansmembershipversion, orleansheartbeat FROM agencyplatform_app;
  END IF;
END
$$;
