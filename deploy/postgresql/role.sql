-- psql -v password="'…'" -f role.sql   as a superuser, once.
-- The program creates and migrates its tables by itself: the role owns its database and nothing else.
CREATE ROLE agencyplatform LOGIN PASSWORD :password NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE DATABASE agencyplatform OWNER agencyplatform ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
REVOKE ALL ON DATABASE agencyplatform FROM PUBLIC;
