SET citus.multi_shard_modify_mode = 'sequential';
SET citus.enable_unsafe_triggers = 'on';

-- settings of the database
BEGIN;
ALTER DATABASE "kith" SET citus.enable_unsafe_triggers = 'on';
ALTER DATABASE "kith" SET citus.propagate_set_commands = 'local';
SELECT run_command_on_workers('ALTER DATABASE "kith" SET citus.enable_unsafe_triggers = ''on''');
SELECT run_command_on_workers('ALTER DATABASE "kith" SET citus.propagate_set_commands = ''local''');
COMMIT;

-- foreign keys and triggers put aside
BEGIN;
CREATE TABLE IF NOT EXISTS kith_put_aside (kind text NOT NULL, on_table text NOT NULL, name text NOT NULL, definition text NOT NULL, refers_to text NOT NULL, PRIMARY KEY (on_table, name));
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_accesstoken', 'customers_accesstoken_user_id_921b7e4a_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_accesstoken" DROP CONSTRAINT "customers_accesstoken_user_id_921b7e4a_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_account', 'customers_account_business_account_id_b95b506a_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_account" DROP CONSTRAINT "customers_account_business_account_id_b95b506a_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_activity', 'customers_activity_customer_id_2da340a2_fk_customers', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_activity" DROP CONSTRAINT "customers_activity_customer_id_2da340a2_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_address', 'customers_address_customer_id_f042422e_fk_customers_customer_id', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_address" DROP CONSTRAINT "customers_address_customer_id_f042422e_fk_customers_customer_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributeconversion', 'customers_attributec_business_account_id_252774dc_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_attributeconversion" DROP CONSTRAINT "customers_attributec_business_account_id_252774dc_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributeconversion', 'customers_attributec_definition_id_71d287be_fk_customers', 'FOREIGN KEY (definition_id) REFERENCES customers_attributedefinition(id) DEFERRABLE INITIALLY DEFERRED', 'customers_attributedefinition');
ALTER TABLE "customers_attributeconversion" DROP CONSTRAINT "customers_attributec_definition_id_71d287be_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributedefinition', 'customers_attributed_business_account_id_3cdbf17e_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_attributedefinition" DROP CONSTRAINT "customers_attributed_business_account_id_3cdbf17e_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributevalue', 'attribute_value_of_contact', 'FOREIGN KEY (customer_id, contact_id) REFERENCES customers_contact(customer_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', 'customers_contact');
ALTER TABLE "customers_attributevalue" DROP CONSTRAINT "attribute_value_of_contact";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributevalue', 'customers_attributev_customer_id_5edb5cf1_fk_customers', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_attributevalue" DROP CONSTRAINT "customers_attributev_customer_id_5edb5cf1_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_attributevalue', 'customers_attributev_definition_id_ba5b0d6b_fk_customers', 'FOREIGN KEY (definition_id) REFERENCES customers_attributedefinition(id) DEFERRABLE INITIALLY DEFERRED', 'customers_attributedefinition');
ALTER TABLE "customers_attributevalue" DROP CONSTRAINT "customers_attributev_definition_id_ba5b0d6b_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_authenticator', 'customers_authenticator_user_id_c3cadd42_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_authenticator" DROP CONSTRAINT "customers_authenticator_user_id_c3cadd42_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_businessaccount', 'customers_businessac_parent_id_ce0c2641_fk_customers', 'FOREIGN KEY (parent_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_businessaccount" DROP CONSTRAINT "customers_businessac_parent_id_ce0c2641_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_contact', 'customers_contact_customer_id_b9afc0da_fk_customers_customer_id', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_contact" DROP CONSTRAINT "customers_contact_customer_id_b9afc0da_fk_customers_customer_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_contactpoint', 'contact_point_of_contact', 'FOREIGN KEY (customer_id, contact_id) REFERENCES customers_contact(customer_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', 'customers_contact');
ALTER TABLE "customers_contactpoint" DROP CONSTRAINT "contact_point_of_contact";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_customer', 'customers_customer_business_account_id_c85c4d7f_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_customer" DROP CONSTRAINT "customers_customer_business_account_id_c85c4d7f_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_customer', 'customers_customer_department_id_738c8343_fk_customers', 'FOREIGN KEY (department_id) REFERENCES customers_department(id) DEFERRABLE INITIALLY DEFERRED', 'customers_department');
ALTER TABLE "customers_customer" DROP CONSTRAINT "customers_customer_department_id_738c8343_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_customer', 'customers_customer_preferred_agent_id_267cadd7_fk_customers', 'FOREIGN KEY (preferred_agent_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_customer" DROP CONSTRAINT "customers_customer_preferred_agent_id_267cadd7_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_department', 'customers_department_business_account_id_5d46a137_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_department" DROP CONSTRAINT "customers_department_business_account_id_5d46a137_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_enrollment', 'customers_enrollment_customer_id_daaea78c_fk_customers', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_enrollment" DROP CONSTRAINT "customers_enrollment_customer_id_daaea78c_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_grant', 'customers_grant_user_id_3f4cf163_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_grant" DROP CONSTRAINT "customers_grant_user_id_3f4cf163_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_idtoken', 'customers_idtoken_user_id_9d6794d9_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_idtoken" DROP CONSTRAINT "customers_idtoken_user_id_9d6794d9_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_oauthclient', 'customers_oauthclien_business_account_id_6eb9004c_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_oauthclient" DROP CONSTRAINT "customers_oauthclien_business_account_id_6eb9004c_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_oauthclient', 'customers_oauthclient_user_id_b5e050c5_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_oauthclient" DROP CONSTRAINT "customers_oauthclient_user_id_b5e050c5_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_recoverycode', 'customers_recoverycode_user_id_fd6fabb6_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_recoverycode" DROP CONSTRAINT "customers_recoverycode_user_id_fd6fabb6_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_refreshtoken', 'customers_refreshtoken_user_id_d8a2bcde_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_refreshtoken" DROP CONSTRAINT "customers_refreshtoken_user_id_d8a2bcde_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_reveal', 'customers_reveal_customer_id_e1e77220_fk_customers_customer_id', 'FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED', 'customers_customer');
ALTER TABLE "customers_reveal" DROP CONSTRAINT "customers_reveal_customer_id_e1e77220_fk_customers_customer_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_reveal', 'customers_reveal_employee_id_b1d58622_fk_customers_user_id', 'FOREIGN KEY (employee_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_reveal" DROP CONSTRAINT "customers_reveal_employee_id_b1d58622_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_serviceaccount', 'customers_serviceacc_business_account_id_d13052e7_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_serviceaccount" DROP CONSTRAINT "customers_serviceacc_business_account_id_d13052e7_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_signinattempt', 'customers_signinatte_business_account_id_b70c8259_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_signinattempt" DROP CONSTRAINT "customers_signinatte_business_account_id_b70c8259_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_signinattempt', 'customers_signinattempt_person_id_bf824282_fk_customers_user_id', 'FOREIGN KEY (person_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_signinattempt" DROP CONSTRAINT "customers_signinattempt_person_id_bf824282_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user', 'customers_user_business_account_id_131233f4_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "customers_user" DROP CONSTRAINT "customers_user_business_account_id_131233f4_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user', 'customers_user_department_id_ab971d4e_fk_customers', 'FOREIGN KEY (department_id) REFERENCES customers_department(id) DEFERRABLE INITIALLY DEFERRED', 'customers_department');
ALTER TABLE "customers_user" DROP CONSTRAINT "customers_user_department_id_ab971d4e_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user_foreign_departments', 'customers_user_forei_department_id_3fe635c0_fk_customers', 'FOREIGN KEY (department_id) REFERENCES customers_department(id) DEFERRABLE INITIALLY DEFERRED', 'customers_department');
ALTER TABLE "customers_user_foreign_departments" DROP CONSTRAINT "customers_user_forei_department_id_3fe635c0_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user_foreign_departments', 'customers_user_forei_user_id_40647331_fk_customers', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_user_foreign_departments" DROP CONSTRAINT "customers_user_forei_user_id_40647331_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user_groups', 'customers_user_groups_user_id_5d6dd108_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_user_groups" DROP CONSTRAINT "customers_user_groups_user_id_5d6dd108_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'customers_user_user_permissions', 'customers_user_user__user_id_f91e86da_fk_customers', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "customers_user_user_permissions" DROP CONSTRAINT "customers_user_user__user_id_f91e86da_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'django_admin_log', 'django_admin_log_user_id_c564eba6_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "django_admin_log" DROP CONSTRAINT "django_admin_log_user_id_c564eba6_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'ingest_bulkdraft', 'ingest_bulkdraft_business_account_id_983d43cd_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "ingest_bulkdraft" DROP CONSTRAINT "ingest_bulkdraft_business_account_id_983d43cd_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'ingest_bulkdraft', 'ingest_bulkdraft_user_id_f2b665ab_fk_customers_user_id', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "ingest_bulkdraft" DROP CONSTRAINT "ingest_bulkdraft_user_id_f2b665ab_fk_customers_user_id";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'ingest_bulkrequest', 'ingest_bulkrequest_business_account_id_8434d2ee_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "ingest_bulkrequest" DROP CONSTRAINT "ingest_bulkrequest_business_account_id_8434d2ee_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'ingest_columnmapping', 'ingest_columnmapping_business_account_id_6f87ca03_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "ingest_columnmapping" DROP CONSTRAINT "ingest_columnmapping_business_account_id_6f87ca03_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'oauth2_provider_devicegrant', 'oauth2_provider_devi_user_id_1cec5156_fk_customers', 'FOREIGN KEY (user_id) REFERENCES customers_user(id) DEFERRABLE INITIALLY DEFERRED', 'customers_user');
ALTER TABLE "oauth2_provider_devicegrant" DROP CONSTRAINT "oauth2_provider_devi_user_id_1cec5156_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('foreign key', 'search_customersearch', 'search_customersearc_business_account_id_b9db6527_fk_customers', 'FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED', 'customers_businessaccount');
ALTER TABLE "search_customersearch" DROP CONSTRAINT "search_customersearc_business_account_id_b9db6527_fk_customers";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_account', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_account REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account()', '');
DROP TRIGGER "recorded_delete" ON "customers_account";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_account', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_account REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account()', '');
DROP TRIGGER "recorded_insert" ON "customers_account";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_account', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_account REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account()', '');
DROP TRIGGER "recorded_update" ON "customers_account";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_activity', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_activity REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity()', '');
DROP TRIGGER "recorded_delete" ON "customers_activity";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_activity', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_activity REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity()', '');
DROP TRIGGER "recorded_insert" ON "customers_activity";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_activity', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_activity REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity()', '');
DROP TRIGGER "recorded_update" ON "customers_activity";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_address', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_address REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address()', '');
DROP TRIGGER "recorded_delete" ON "customers_address";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_address', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_address REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address()', '');
DROP TRIGGER "recorded_insert" ON "customers_address";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_address', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_address REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address()', '');
DROP TRIGGER "recorded_update" ON "customers_address";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributedefinition', 'guarded', 'CREATE TRIGGER guarded BEFORE DELETE OR UPDATE ON public.customers_attributedefinition FOR EACH ROW EXECUTE FUNCTION kith_guard_attribute()', '');
DROP TRIGGER "guarded" ON "customers_attributedefinition";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributevalue', 'guarded_insert', 'CREATE TRIGGER guarded_insert AFTER INSERT ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values()', '');
DROP TRIGGER "guarded_insert" ON "customers_attributevalue";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributevalue', 'guarded_update', 'CREATE TRIGGER guarded_update AFTER UPDATE ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values()', '');
DROP TRIGGER "guarded_update" ON "customers_attributevalue";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributevalue', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_attributevalue REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue()', '');
DROP TRIGGER "recorded_delete" ON "customers_attributevalue";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributevalue', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue()', '');
DROP TRIGGER "recorded_insert" ON "customers_attributevalue";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_attributevalue', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_attributevalue REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue()', '');
DROP TRIGGER "recorded_update" ON "customers_attributevalue";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_businessaccount', 'account_tree_insert', 'CREATE TRIGGER account_tree_insert AFTER INSERT ON public.customers_businessaccount FOR EACH ROW WHEN ((new.parent_id IS NOT NULL)) EXECUTE FUNCTION kith_check_account_tree()', '');
DROP TRIGGER "account_tree_insert" ON "customers_businessaccount";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_businessaccount', 'account_tree_move', 'CREATE TRIGGER account_tree_move AFTER UPDATE OF parent_id ON public.customers_businessaccount FOR EACH ROW WHEN (((new.parent_id IS NOT NULL) AND (new.parent_id IS DISTINCT FROM old.parent_id))) EXECUTE FUNCTION kith_check_account_tree()', '');
DROP TRIGGER "account_tree_move" ON "customers_businessaccount";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_card', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_card REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card()', '');
DROP TRIGGER "recorded_delete" ON "customers_card";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_card', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_card REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card()', '');
DROP TRIGGER "recorded_insert" ON "customers_card";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_card', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_card REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card()', '');
DROP TRIGGER "recorded_update" ON "customers_card";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contact', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_contact REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact()', '');
DROP TRIGGER "recorded_delete" ON "customers_contact";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contact', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_contact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact()', '');
DROP TRIGGER "recorded_insert" ON "customers_contact";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contact', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_contact REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact()', '');
DROP TRIGGER "recorded_update" ON "customers_contact";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contactpoint', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_contactpoint REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint()', '');
DROP TRIGGER "recorded_delete" ON "customers_contactpoint";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contactpoint', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_contactpoint REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint()', '');
DROP TRIGGER "recorded_insert" ON "customers_contactpoint";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_contactpoint', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_contactpoint REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint()', '');
DROP TRIGGER "recorded_update" ON "customers_contactpoint";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_customer', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_customer REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer()', '');
DROP TRIGGER "recorded_delete" ON "customers_customer";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_customer', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_customer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer()', '');
DROP TRIGGER "recorded_insert" ON "customers_customer";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_customer', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_customer REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer()', '');
DROP TRIGGER "recorded_update" ON "customers_customer";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_enrollment', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_enrollment REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment()', '');
DROP TRIGGER "recorded_delete" ON "customers_enrollment";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_enrollment', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_enrollment REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment()', '');
DROP TRIGGER "recorded_insert" ON "customers_enrollment";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_enrollment', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_enrollment REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment()', '');
DROP TRIGGER "recorded_update" ON "customers_enrollment";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_reveal', 'recorded_delete', 'CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_reveal REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal()', '');
DROP TRIGGER "recorded_delete" ON "customers_reveal";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_reveal', 'recorded_insert', 'CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_reveal REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal()', '');
DROP TRIGGER "recorded_insert" ON "customers_reveal";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_reveal', 'recorded_update', 'CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_reveal REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal()', '');
DROP TRIGGER "recorded_update" ON "customers_reveal";
INSERT INTO "kith_put_aside" VALUES ('trigger', 'customers_user', 'password_ends_access', 'CREATE TRIGGER password_ends_access AFTER UPDATE OF password, is_active ON public.customers_user FOR EACH ROW WHEN ((((new.password)::text IS DISTINCT FROM (old.password)::text) OR (old.is_active AND (NOT new.is_active)))) EXECUTE FUNCTION kith_end_access()', '');
DROP TRIGGER "password_ends_access" ON "customers_user";
COMMIT;

-- reference table customers_businessaccount
BEGIN;
SELECT create_reference_table('customers_businessaccount');
COMMIT;

-- reference table customers_department
BEGIN;
SELECT create_reference_table('customers_department');
COMMIT;

-- reference table customers_attributedefinition
BEGIN;
SELECT create_reference_table('customers_attributedefinition');
COMMIT;

-- reference table customers_user
BEGIN;
SELECT create_reference_table('customers_user');
COMMIT;

-- distributed table customers_customer
BEGIN;
SELECT create_distributed_table('customers_customer', 'id', shard_count => 32);
COMMIT;

-- distributed table customers_account
BEGIN;
SELECT create_distributed_table('customers_account', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_activity
BEGIN;
SELECT create_distributed_table('customers_activity', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_address
BEGIN;
SELECT create_distributed_table('customers_address', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_attributevalue
BEGIN;
SELECT create_distributed_table('customers_attributevalue', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_card
BEGIN;
SELECT create_distributed_table('customers_card', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_change
BEGIN;
SELECT create_distributed_table('customers_change', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_contact
BEGIN;
SELECT create_distributed_table('customers_contact', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_contactpoint
BEGIN;
SELECT create_distributed_table('customers_contactpoint', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_enrollment
BEGIN;
SELECT create_distributed_table('customers_enrollment', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- distributed table customers_reveal
BEGIN;
SELECT create_distributed_table('customers_reveal', 'customer_id', colocate_with => 'customers_customer');
COMMIT;

-- function kith_act()
BEGIN;
SELECT create_distributed_function('kith_act()');
COMMIT;

-- function kith_change_partitions()
BEGIN;
SELECT create_distributed_function('kith_change_partitions()');
COMMIT;

-- function kith_check_account_tree()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_check_account_tree()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF to_regclass('django_migrations') IS NULL THEN
        -- On the coordinator it was seen to.
        RETURN coalesce(NEW, OLD);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('kith_check_account_tree'));
    IF EXISTS (
        WITH RECURSIVE above AS (
            SELECT parent_id FROM customers_businessaccount WHERE id = NEW.id
            UNION
            SELECT account.parent_id FROM customers_businessaccount account
            JOIN above ON account.id = above.parent_id
        )
        SELECT FROM above WHERE parent_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'business account % would be its own ancestor', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'business_account_not_its_own_ancestor';
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_check_account_tree()');
COMMIT;

-- function kith_drop_change_partitions(integer)
BEGIN;
SELECT create_distributed_function('kith_drop_change_partitions(integer)');
COMMIT;

-- function kith_end_access()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_end_access()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF to_regclass('django_migrations') IS NULL THEN
        -- On the coordinator it was seen to.
        RETURN coalesce(NEW, OLD);
    END IF;
    DELETE FROM customers_grant WHERE user_id = NEW.id;
    DELETE FROM customers_refreshtoken WHERE user_id = NEW.id;
    DELETE FROM customers_accesstoken WHERE user_id = NEW.id;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_end_access()');
COMMIT;

-- function kith_guard_attribute()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_guard_attribute()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF to_regclass('django_migrations') IS NULL THEN
        -- On the coordinator it was seen to.
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF OLD.conversion <> '' THEN
            RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
                'attribute ' || OLD.id || ' is being converted, and cannot be deleted before it ends';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.is_encrypted, NEW.conversion) = (OLD.is_encrypted, OLD.conversion) THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM customers_attributeconversion
        WHERE definition_id = NEW.id AND status IN ('PICKED', 'STARTED')
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'attribute ' || NEW.id || ' is encrypted and decrypted by a conversion only';
    END IF;
    IF NEW.conversion = '' AND (
        NEW.is_encrypted AND EXISTS (
            SELECT FROM customers_attributevalue
            WHERE definition_id = NEW.id AND value_sealed IS NULL)
        OR NOT NEW.is_encrypted AND EXISTS (
            SELECT FROM customers_attributevalue
            WHERE definition_id = NEW.id AND value_sealed IS NOT NULL)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'attribute ' || NEW.id || ' has values that are not converted';
    END IF;
    RETURN NEW;
END
$function$;
SELECT create_distributed_function('kith_guard_attribute()');
COMMIT;

-- function kith_guard_attribute_values()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_guard_attribute_values()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    definitions text;
    is_wrong boolean;
BEGIN
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_attributedefinition_' || shardid)
    INTO definitions
    FROM pg_dist_shard WHERE logicalrelid = 'customers_attributedefinition'::regclass;
    EXECUTE format($rows$
        SELECT EXISTS (
            SELECT FROM new_rows value
            JOIN %s definition ON definition.id = value.definition_id
            WHERE CASE WHEN value.value_sealed IS NULL
                THEN definition.is_encrypted AND definition.conversion <> 'DECRYPTING'
                ELSE NOT definition.is_encrypted END)$rows$, definitions) INTO is_wrong;
    IF is_wrong THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'a value of an encrypted attribute must be sealed, and one of another must not be';
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_guard_attribute_values()');
COMMIT;

-- function kith_make_change_partitions(integer,integer)
BEGIN;
SELECT create_distributed_function('kith_make_change_partitions(integer,integer)');
COMMIT;

-- function kith_record_account()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_account()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'account', became.id, 'created', ('{' || concat_ws(',', '"source_account_id":' || to_json(nullif(became.source_account_id, '')), '"primary_source_customer_id":' || to_json(nullif(became.primary_source_customer_id, '')), '"status":' || to_json(nullif(became.status, '')), '"type":' || to_json(nullif(became.type, '')), '"source_portfolio_id":' || to_json(nullif(became.source_portfolio_id, '')), '"sent_under":' || to_json(nullif(became.sent_under, '')), '"business_account_id":' || to_json(became.business_account_id), '"open_date":' || to_json(became.open_date), '"close_date":' || to_json(became.close_date), '"source_customer_ids":' || to_json(nullif(became.source_customer_ids, '{}'))) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'account', was.id, 'deleted',
               ('{' || concat_ws(',', '"source_account_id":' || to_json(nullif(was.source_account_id, '')), '"primary_source_customer_id":' || to_json(nullif(was.primary_source_customer_id, '')), '"status":' || to_json(nullif(was.status, '')), '"type":' || to_json(nullif(was.type, '')), '"source_portfolio_id":' || to_json(nullif(was.source_portfolio_id, '')), '"sent_under":' || to_json(nullif(was.sent_under, '')), '"business_account_id":' || to_json(was.business_account_id), '"open_date":' || to_json(was.open_date), '"close_date":' || to_json(was.close_date), '"source_customer_ids":' || to_json(nullif(was.source_customer_ids, '{}'))) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'account', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.source_account_id IS DISTINCT FROM became.source_account_id THEN '"source_account_id":' || coalesce(to_json(nullif(was.source_account_id, ''))::text, 'null') END, CASE WHEN was.primary_source_customer_id IS DISTINCT FROM became.primary_source_customer_id THEN '"primary_source_customer_id":' || coalesce(to_json(nullif(was.primary_source_customer_id, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(was.status, ''))::text, 'null') END, CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(was.type, ''))::text, 'null') END, CASE WHEN was.source_portfolio_id IS DISTINCT FROM became.source_portfolio_id THEN '"source_portfolio_id":' || coalesce(to_json(nullif(was.source_portfolio_id, ''))::text, 'null') END, CASE WHEN was.sent_under IS DISTINCT FROM became.sent_under THEN '"sent_under":' || coalesce(to_json(nullif(was.sent_under, ''))::text, 'null') END, CASE WHEN was.business_account_id IS DISTINCT FROM became.business_account_id THEN '"business_account_id":' || coalesce(to_json(was.business_account_id)::text, 'null') END, CASE WHEN was.open_date IS DISTINCT FROM became.open_date THEN '"open_date":' || coalesce(to_json(was.open_date)::text, 'null') END, CASE WHEN was.close_date IS DISTINCT FROM became.close_date THEN '"close_date":' || coalesce(to_json(was.close_date)::text, 'null') END, CASE WHEN was.source_customer_ids IS DISTINCT FROM became.source_customer_ids THEN '"source_customer_ids":' || coalesce(to_json(nullif(was.source_customer_ids, '{}'))::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.source_account_id IS DISTINCT FROM became.source_account_id THEN '"source_account_id":' || coalesce(to_json(nullif(became.source_account_id, ''))::text, 'null') END, CASE WHEN was.primary_source_customer_id IS DISTINCT FROM became.primary_source_customer_id THEN '"primary_source_customer_id":' || coalesce(to_json(nullif(became.primary_source_customer_id, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(became.status, ''))::text, 'null') END, CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(became.type, ''))::text, 'null') END, CASE WHEN was.source_portfolio_id IS DISTINCT FROM became.source_portfolio_id THEN '"source_portfolio_id":' || coalesce(to_json(nullif(became.source_portfolio_id, ''))::text, 'null') END, CASE WHEN was.sent_under IS DISTINCT FROM became.sent_under THEN '"sent_under":' || coalesce(to_json(nullif(became.sent_under, ''))::text, 'null') END, CASE WHEN was.business_account_id IS DISTINCT FROM became.business_account_id THEN '"business_account_id":' || coalesce(to_json(became.business_account_id)::text, 'null') END, CASE WHEN was.open_date IS DISTINCT FROM became.open_date THEN '"open_date":' || coalesce(to_json(became.open_date)::text, 'null') END, CASE WHEN was.close_date IS DISTINCT FROM became.close_date THEN '"close_date":' || coalesce(to_json(became.close_date)::text, 'null') END, CASE WHEN was.source_customer_ids IS DISTINCT FROM became.source_customer_ids THEN '"source_customer_ids":' || coalesce(to_json(nullif(became.source_customer_ids, '{}'))::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.source_account_id, was.primary_source_customer_id, was.status, was.type, was.source_portfolio_id, was.sent_under, was.business_account_id, was.open_date, was.close_date, was.source_customer_ids) IS DISTINCT FROM (became.source_account_id, became.primary_source_customer_id, became.status, became.type, became.source_portfolio_id, became.sent_under, became.business_account_id, became.open_date, became.close_date, became.source_customer_ids)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_account()');
COMMIT;

-- function kith_record_activity()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_activity()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'activity', became.id, 'created', ('{' || concat_ws(',', '"type":' || to_json(nullif(became.type, '')), '"mode":' || to_json(nullif(became.mode, '')), '"subject":' || to_json(nullif(became.subject, '')), '"is_read":' || to_json(became.is_read), '"is_secure":' || to_json(became.is_secure), '"sent_date":' || to_json(became.sent_date)) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'activity', was.id, 'deleted',
               ('{' || concat_ws(',', '"type":' || to_json(nullif(was.type, '')), '"mode":' || to_json(nullif(was.mode, '')), '"subject":' || to_json(nullif(was.subject, '')), '"is_read":' || to_json(was.is_read), '"is_secure":' || to_json(was.is_secure), '"sent_date":' || to_json(was.sent_date)) || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'activity', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(was.type, ''))::text, 'null') END, CASE WHEN was.mode IS DISTINCT FROM became.mode THEN '"mode":' || coalesce(to_json(nullif(was.mode, ''))::text, 'null') END, CASE WHEN was.subject IS DISTINCT FROM became.subject THEN '"subject":' || coalesce(to_json(nullif(was.subject, ''))::text, 'null') END, CASE WHEN was.is_read IS DISTINCT FROM became.is_read THEN '"is_read":' || coalesce(to_json(was.is_read)::text, 'null') END, CASE WHEN was.is_secure IS DISTINCT FROM became.is_secure THEN '"is_secure":' || coalesce(to_json(was.is_secure)::text, 'null') END, CASE WHEN was.sent_date IS DISTINCT FROM became.sent_date THEN '"sent_date":' || coalesce(to_json(was.sent_date)::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(became.type, ''))::text, 'null') END, CASE WHEN was.mode IS DISTINCT FROM became.mode THEN '"mode":' || coalesce(to_json(nullif(became.mode, ''))::text, 'null') END, CASE WHEN was.subject IS DISTINCT FROM became.subject THEN '"subject":' || coalesce(to_json(nullif(became.subject, ''))::text, 'null') END, CASE WHEN was.is_read IS DISTINCT FROM became.is_read THEN '"is_read":' || coalesce(to_json(became.is_read)::text, 'null') END, CASE WHEN was.is_secure IS DISTINCT FROM became.is_secure THEN '"is_secure":' || coalesce(to_json(became.is_secure)::text, 'null') END, CASE WHEN was.sent_date IS DISTINCT FROM became.sent_date THEN '"sent_date":' || coalesce(to_json(became.sent_date)::text, 'null') END) || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.type, was.mode, was.subject, was.is_read, was.is_secure, was.sent_date) IS DISTINCT FROM (became.type, became.mode, became.subject, became.is_read, became.is_secure, became.sent_date)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_activity()');
COMMIT;

-- function kith_record_address()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_address()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'address', became.id, 'created', ('{' || concat_ws(',', '"type":' || to_json(nullif(became.type, '')), '"first_name":' || to_json(nullif(became.first_name, '')), '"middle_name":' || to_json(nullif(became.middle_name, '')), '"last_name":' || to_json(nullif(became.last_name, '')), '"street_line_1":' || to_json(nullif(became.street_line_1, '')), '"street_line_2":' || to_json(nullif(became.street_line_2, '')), '"street_line_3":' || to_json(nullif(became.street_line_3, '')), '"street_line_4":' || to_json(nullif(became.street_line_4, '')), '"street_line_5":' || to_json(nullif(became.street_line_5, '')), '"city":' || to_json(nullif(became.city, '')), '"state":' || to_json(nullif(became.state, '')), '"country":' || to_json(nullif(became.country, '')), '"zip_code":' || to_json(nullif(became.zip_code, '')), '"is_primary":' || to_json(became.is_primary)) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'address', was.id, 'deleted',
               ('{' || concat_ws(',', '"type":' || to_json(nullif(was.type, '')), '"first_name":' || to_json(nullif(was.first_name, '')), '"middle_name":' || to_json(nullif(was.middle_name, '')), '"last_name":' || to_json(nullif(was.last_name, '')), '"street_line_1":' || to_json(nullif(was.street_line_1, '')), '"street_line_2":' || to_json(nullif(was.street_line_2, '')), '"street_line_3":' || to_json(nullif(was.street_line_3, '')), '"street_line_4":' || to_json(nullif(was.street_line_4, '')), '"street_line_5":' || to_json(nullif(was.street_line_5, '')), '"city":' || to_json(nullif(was.city, '')), '"state":' || to_json(nullif(was.state, '')), '"country":' || to_json(nullif(was.country, '')), '"zip_code":' || to_json(nullif(was.zip_code, '')), '"is_primary":' || to_json(was.is_primary)) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'address', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(was.type, ''))::text, 'null') END, CASE WHEN was.first_name IS DISTINCT FROM became.first_name THEN '"first_name":' || coalesce(to_json(nullif(was.first_name, ''))::text, 'null') END, CASE WHEN was.middle_name IS DISTINCT FROM became.middle_name THEN '"middle_name":' || coalesce(to_json(nullif(was.middle_name, ''))::text, 'null') END, CASE WHEN was.last_name IS DISTINCT FROM became.last_name THEN '"last_name":' || coalesce(to_json(nullif(was.last_name, ''))::text, 'null') END, CASE WHEN was.street_line_1 IS DISTINCT FROM became.street_line_1 THEN '"street_line_1":' || coalesce(to_json(nullif(was.street_line_1, ''))::text, 'null') END, CASE WHEN was.street_line_2 IS DISTINCT FROM became.street_line_2 THEN '"street_line_2":' || coalesce(to_json(nullif(was.street_line_2, ''))::text, 'null') END, CASE WHEN was.street_line_3 IS DISTINCT FROM became.street_line_3 THEN '"street_line_3":' || coalesce(to_json(nullif(was.street_line_3, ''))::text, 'null') END, CASE WHEN was.street_line_4 IS DISTINCT FROM became.street_line_4 THEN '"street_line_4":' || coalesce(to_json(nullif(was.street_line_4, ''))::text, 'null') END, CASE WHEN was.street_line_5 IS DISTINCT FROM became.street_line_5 THEN '"street_line_5":' || coalesce(to_json(nullif(was.street_line_5, ''))::text, 'null') END, CASE WHEN was.city IS DISTINCT FROM became.city THEN '"city":' || coalesce(to_json(nullif(was.city, ''))::text, 'null') END, CASE WHEN was.state IS DISTINCT FROM became.state THEN '"state":' || coalesce(to_json(nullif(was.state, ''))::text, 'null') END, CASE WHEN was.country IS DISTINCT FROM became.country THEN '"country":' || coalesce(to_json(nullif(was.country, ''))::text, 'null') END, CASE WHEN was.zip_code IS DISTINCT FROM became.zip_code THEN '"zip_code":' || coalesce(to_json(nullif(was.zip_code, ''))::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(was.is_primary)::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(became.type, ''))::text, 'null') END, CASE WHEN was.first_name IS DISTINCT FROM became.first_name THEN '"first_name":' || coalesce(to_json(nullif(became.first_name, ''))::text, 'null') END, CASE WHEN was.middle_name IS DISTINCT FROM became.middle_name THEN '"middle_name":' || coalesce(to_json(nullif(became.middle_name, ''))::text, 'null') END, CASE WHEN was.last_name IS DISTINCT FROM became.last_name THEN '"last_name":' || coalesce(to_json(nullif(became.last_name, ''))::text, 'null') END, CASE WHEN was.street_line_1 IS DISTINCT FROM became.street_line_1 THEN '"street_line_1":' || coalesce(to_json(nullif(became.street_line_1, ''))::text, 'null') END, CASE WHEN was.street_line_2 IS DISTINCT FROM became.street_line_2 THEN '"street_line_2":' || coalesce(to_json(nullif(became.street_line_2, ''))::text, 'null') END, CASE WHEN was.street_line_3 IS DISTINCT FROM became.street_line_3 THEN '"street_line_3":' || coalesce(to_json(nullif(became.street_line_3, ''))::text, 'null') END, CASE WHEN was.street_line_4 IS DISTINCT FROM became.street_line_4 THEN '"street_line_4":' || coalesce(to_json(nullif(became.street_line_4, ''))::text, 'null') END, CASE WHEN was.street_line_5 IS DISTINCT FROM became.street_line_5 THEN '"street_line_5":' || coalesce(to_json(nullif(became.street_line_5, ''))::text, 'null') END, CASE WHEN was.city IS DISTINCT FROM became.city THEN '"city":' || coalesce(to_json(nullif(became.city, ''))::text, 'null') END, CASE WHEN was.state IS DISTINCT FROM became.state THEN '"state":' || coalesce(to_json(nullif(became.state, ''))::text, 'null') END, CASE WHEN was.country IS DISTINCT FROM became.country THEN '"country":' || coalesce(to_json(nullif(became.country, ''))::text, 'null') END, CASE WHEN was.zip_code IS DISTINCT FROM became.zip_code THEN '"zip_code":' || coalesce(to_json(nullif(became.zip_code, ''))::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(became.is_primary)::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.type, was.first_name, was.middle_name, was.last_name, was.street_line_1, was.street_line_2, was.street_line_3, was.street_line_4, was.street_line_5, was.city, was.state, was.country, was.zip_code, was.is_primary) IS DISTINCT FROM (became.type, became.first_name, became.middle_name, became.last_name, became.street_line_1, became.street_line_2, became.street_line_3, became.street_line_4, became.street_line_5, became.city, became.state, became.country, became.zip_code, became.is_primary)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_address()');
COMMIT;

-- function kith_record_attributevalue()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_attributevalue()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'attributeValue', became.id, 'created', ('{' || concat_ws(',', '"value":' || to_json(nullif(became.value, '')), '"contact_id":' || to_json(became.contact_id), '"definition_id":' || to_json(became.definition_id), '"value_sealed":' || CASE WHEN became.value_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'attributeValue', was.id, 'deleted',
               ('{' || concat_ws(',', '"value":' || to_json(nullif(was.value, '')), '"contact_id":' || to_json(was.contact_id), '"definition_id":' || to_json(was.definition_id), '"value_sealed":' || CASE WHEN was.value_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.value_sealed IS NOT NULL THEN '"value_sealed":' || to_json(was.value_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'attributeValue', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.value IS DISTINCT FROM became.value THEN '"value":' || coalesce(to_json(nullif(was.value, ''))::text, 'null') END, CASE WHEN was.contact_id IS DISTINCT FROM became.contact_id THEN '"contact_id":' || coalesce(to_json(was.contact_id)::text, 'null') END, CASE WHEN was.definition_id IS DISTINCT FROM became.definition_id THEN '"definition_id":' || coalesce(to_json(was.definition_id)::text, 'null') END, CASE WHEN was.value_sealed IS DISTINCT FROM became.value_sealed THEN '"value_sealed":' || coalesce(CASE WHEN was.value_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.value IS DISTINCT FROM became.value THEN '"value":' || coalesce(to_json(nullif(became.value, ''))::text, 'null') END, CASE WHEN was.contact_id IS DISTINCT FROM became.contact_id THEN '"contact_id":' || coalesce(to_json(became.contact_id)::text, 'null') END, CASE WHEN was.definition_id IS DISTINCT FROM became.definition_id THEN '"definition_id":' || coalesce(to_json(became.definition_id)::text, 'null') END, CASE WHEN was.value_sealed IS DISTINCT FROM became.value_sealed THEN '"value_sealed":' || coalesce(CASE WHEN became.value_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.value_sealed IS DISTINCT FROM became.value_sealed AND was.value_sealed IS NOT NULL THEN '"value_sealed":' || to_json(was.value_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.value, was.contact_id, was.definition_id, was.value_sealed) IS DISTINCT FROM (became.value, became.contact_id, became.definition_id, became.value_sealed)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_attributevalue()');
COMMIT;

-- function kith_record_card()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_card()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'card', became.id, 'created', ('{' || concat_ws(',', '"last4":' || to_json(nullif(became.last4, '')), '"iin":' || to_json(nullif(became.iin, '')), '"type":' || to_json(nullif(became.type, '')), '"status":' || to_json(nullif(became.status, '')), '"network_identifier":' || to_json(nullif(became.network_identifier, '')), '"account_id":' || to_json(became.account_id), '"open_date":' || to_json(became.open_date), '"close_date":' || to_json(became.close_date)) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'card', was.id, 'deleted',
               ('{' || concat_ws(',', '"last4":' || to_json(nullif(was.last4, '')), '"iin":' || to_json(nullif(was.iin, '')), '"type":' || to_json(nullif(was.type, '')), '"status":' || to_json(nullif(was.status, '')), '"network_identifier":' || to_json(nullif(was.network_identifier, '')), '"account_id":' || to_json(was.account_id), '"open_date":' || to_json(was.open_date), '"close_date":' || to_json(was.close_date)) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'card', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.last4 IS DISTINCT FROM became.last4 THEN '"last4":' || coalesce(to_json(nullif(was.last4, ''))::text, 'null') END, CASE WHEN was.iin IS DISTINCT FROM became.iin THEN '"iin":' || coalesce(to_json(nullif(was.iin, ''))::text, 'null') END, CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(was.type, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(was.status, ''))::text, 'null') END, CASE WHEN was.network_identifier IS DISTINCT FROM became.network_identifier THEN '"network_identifier":' || coalesce(to_json(nullif(was.network_identifier, ''))::text, 'null') END, CASE WHEN was.account_id IS DISTINCT FROM became.account_id THEN '"account_id":' || coalesce(to_json(was.account_id)::text, 'null') END, CASE WHEN was.open_date IS DISTINCT FROM became.open_date THEN '"open_date":' || coalesce(to_json(was.open_date)::text, 'null') END, CASE WHEN was.close_date IS DISTINCT FROM became.close_date THEN '"close_date":' || coalesce(to_json(was.close_date)::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.last4 IS DISTINCT FROM became.last4 THEN '"last4":' || coalesce(to_json(nullif(became.last4, ''))::text, 'null') END, CASE WHEN was.iin IS DISTINCT FROM became.iin THEN '"iin":' || coalesce(to_json(nullif(became.iin, ''))::text, 'null') END, CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(became.type, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(became.status, ''))::text, 'null') END, CASE WHEN was.network_identifier IS DISTINCT FROM became.network_identifier THEN '"network_identifier":' || coalesce(to_json(nullif(became.network_identifier, ''))::text, 'null') END, CASE WHEN was.account_id IS DISTINCT FROM became.account_id THEN '"account_id":' || coalesce(to_json(became.account_id)::text, 'null') END, CASE WHEN was.open_date IS DISTINCT FROM became.open_date THEN '"open_date":' || coalesce(to_json(became.open_date)::text, 'null') END, CASE WHEN was.close_date IS DISTINCT FROM became.close_date THEN '"close_date":' || coalesce(to_json(became.close_date)::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.last4, was.iin, was.type, was.status, was.network_identifier, was.account_id, was.open_date, was.close_date) IS DISTINCT FROM (became.last4, became.iin, became.type, became.status, became.network_identifier, became.account_id, became.open_date, became.close_date)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_card()');
COMMIT;

-- function kith_record_contact()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_contact()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'contact', became.id, 'created', ('{' || concat_ws(',', '"prefix":' || to_json(nullif(became.prefix, '')), '"first_name":' || to_json(nullif(became.first_name, '')), '"middle_name":' || to_json(nullif(became.middle_name, '')), '"last_name":' || to_json(nullif(became.last_name, '')), '"suffix":' || to_json(nullif(became.suffix, '')), '"sex":' || to_json(nullif(became.sex, '')), '"gender":' || to_json(nullif(became.gender, '')), '"pronoun":' || to_json(nullif(became.pronoun, '')), '"security_question":' || to_json(nullif(became.security_question, '')), '"birth_city":' || to_json(nullif(became.birth_city, '')), '"birth_country":' || to_json(nullif(became.birth_country, '')), '"social_id_country":' || to_json(nullif(became.social_id_country, '')), '"citizenship_country":' || to_json(nullif(became.citizenship_country, '')), '"login_id":' || to_json(nullif(became.login_id, '')), '"is_primary":' || to_json(became.is_primary), '"date_of_birth":' || to_json(became.date_of_birth), '"security_answer_sealed":' || CASE WHEN became.security_answer_sealed IS NOT NULL THEN '"***"' END, '"social_id_sealed":' || CASE WHEN became.social_id_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'contact', was.id, 'deleted',
               ('{' || concat_ws(',', '"prefix":' || to_json(nullif(was.prefix, '')), '"first_name":' || to_json(nullif(was.first_name, '')), '"middle_name":' || to_json(nullif(was.middle_name, '')), '"last_name":' || to_json(nullif(was.last_name, '')), '"suffix":' || to_json(nullif(was.suffix, '')), '"sex":' || to_json(nullif(was.sex, '')), '"gender":' || to_json(nullif(was.gender, '')), '"pronoun":' || to_json(nullif(was.pronoun, '')), '"security_question":' || to_json(nullif(was.security_question, '')), '"birth_city":' || to_json(nullif(was.birth_city, '')), '"birth_country":' || to_json(nullif(was.birth_country, '')), '"social_id_country":' || to_json(nullif(was.social_id_country, '')), '"citizenship_country":' || to_json(nullif(was.citizenship_country, '')), '"login_id":' || to_json(nullif(was.login_id, '')), '"is_primary":' || to_json(was.is_primary), '"date_of_birth":' || to_json(was.date_of_birth), '"security_answer_sealed":' || CASE WHEN was.security_answer_sealed IS NOT NULL THEN '"***"' END, '"social_id_sealed":' || CASE WHEN was.social_id_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.social_id_digest IS NOT NULL THEN '"social_id_digest":' || to_json(was.social_id_digest)::text END, CASE WHEN was.social_id_last4 IS NOT NULL THEN '"social_id_last4":' || to_json(was.social_id_last4)::text END, CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.security_answer_sealed IS NOT NULL THEN '"security_answer_sealed":' || to_json(was.security_answer_sealed)::text END, CASE WHEN was.social_id_sealed IS NOT NULL THEN '"social_id_sealed":' || to_json(was.social_id_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'contact', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.prefix IS DISTINCT FROM became.prefix THEN '"prefix":' || coalesce(to_json(nullif(was.prefix, ''))::text, 'null') END, CASE WHEN was.first_name IS DISTINCT FROM became.first_name THEN '"first_name":' || coalesce(to_json(nullif(was.first_name, ''))::text, 'null') END, CASE WHEN was.middle_name IS DISTINCT FROM became.middle_name THEN '"middle_name":' || coalesce(to_json(nullif(was.middle_name, ''))::text, 'null') END, CASE WHEN was.last_name IS DISTINCT FROM became.last_name THEN '"last_name":' || coalesce(to_json(nullif(was.last_name, ''))::text, 'null') END, CASE WHEN was.suffix IS DISTINCT FROM became.suffix THEN '"suffix":' || coalesce(to_json(nullif(was.suffix, ''))::text, 'null') END, CASE WHEN was.sex IS DISTINCT FROM became.sex THEN '"sex":' || coalesce(to_json(nullif(was.sex, ''))::text, 'null') END, CASE WHEN was.gender IS DISTINCT FROM became.gender THEN '"gender":' || coalesce(to_json(nullif(was.gender, ''))::text, 'null') END, CASE WHEN was.pronoun IS DISTINCT FROM became.pronoun THEN '"pronoun":' || coalesce(to_json(nullif(was.pronoun, ''))::text, 'null') END, CASE WHEN was.security_question IS DISTINCT FROM became.security_question THEN '"security_question":' || coalesce(to_json(nullif(was.security_question, ''))::text, 'null') END, CASE WHEN was.birth_city IS DISTINCT FROM became.birth_city THEN '"birth_city":' || coalesce(to_json(nullif(was.birth_city, ''))::text, 'null') END, CASE WHEN was.birth_country IS DISTINCT FROM became.birth_country THEN '"birth_country":' || coalesce(to_json(nullif(was.birth_country, ''))::text, 'null') END, CASE WHEN was.social_id_country IS DISTINCT FROM became.social_id_country THEN '"social_id_country":' || coalesce(to_json(nullif(was.social_id_country, ''))::text, 'null') END, CASE WHEN was.citizenship_country IS DISTINCT FROM became.citizenship_country THEN '"citizenship_country":' || coalesce(to_json(nullif(was.citizenship_country, ''))::text, 'null') END, CASE WHEN was.login_id IS DISTINCT FROM became.login_id THEN '"login_id":' || coalesce(to_json(nullif(was.login_id, ''))::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(was.is_primary)::text, 'null') END, CASE WHEN was.date_of_birth IS DISTINCT FROM became.date_of_birth THEN '"date_of_birth":' || coalesce(to_json(was.date_of_birth)::text, 'null') END, CASE WHEN was.security_answer_sealed IS DISTINCT FROM became.security_answer_sealed THEN '"security_answer_sealed":' || coalesce(CASE WHEN was.security_answer_sealed IS NOT NULL THEN '"***"' END::text, 'null') END, CASE WHEN was.social_id_sealed IS DISTINCT FROM became.social_id_sealed THEN '"social_id_sealed":' || coalesce(CASE WHEN was.social_id_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.prefix IS DISTINCT FROM became.prefix THEN '"prefix":' || coalesce(to_json(nullif(became.prefix, ''))::text, 'null') END, CASE WHEN was.first_name IS DISTINCT FROM became.first_name THEN '"first_name":' || coalesce(to_json(nullif(became.first_name, ''))::text, 'null') END, CASE WHEN was.middle_name IS DISTINCT FROM became.middle_name THEN '"middle_name":' || coalesce(to_json(nullif(became.middle_name, ''))::text, 'null') END, CASE WHEN was.last_name IS DISTINCT FROM became.last_name THEN '"last_name":' || coalesce(to_json(nullif(became.last_name, ''))::text, 'null') END, CASE WHEN was.suffix IS DISTINCT FROM became.suffix THEN '"suffix":' || coalesce(to_json(nullif(became.suffix, ''))::text, 'null') END, CASE WHEN was.sex IS DISTINCT FROM became.sex THEN '"sex":' || coalesce(to_json(nullif(became.sex, ''))::text, 'null') END, CASE WHEN was.gender IS DISTINCT FROM became.gender THEN '"gender":' || coalesce(to_json(nullif(became.gender, ''))::text, 'null') END, CASE WHEN was.pronoun IS DISTINCT FROM became.pronoun THEN '"pronoun":' || coalesce(to_json(nullif(became.pronoun, ''))::text, 'null') END, CASE WHEN was.security_question IS DISTINCT FROM became.security_question THEN '"security_question":' || coalesce(to_json(nullif(became.security_question, ''))::text, 'null') END, CASE WHEN was.birth_city IS DISTINCT FROM became.birth_city THEN '"birth_city":' || coalesce(to_json(nullif(became.birth_city, ''))::text, 'null') END, CASE WHEN was.birth_country IS DISTINCT FROM became.birth_country THEN '"birth_country":' || coalesce(to_json(nullif(became.birth_country, ''))::text, 'null') END, CASE WHEN was.social_id_country IS DISTINCT FROM became.social_id_country THEN '"social_id_country":' || coalesce(to_json(nullif(became.social_id_country, ''))::text, 'null') END, CASE WHEN was.citizenship_country IS DISTINCT FROM became.citizenship_country THEN '"citizenship_country":' || coalesce(to_json(nullif(became.citizenship_country, ''))::text, 'null') END, CASE WHEN was.login_id IS DISTINCT FROM became.login_id THEN '"login_id":' || coalesce(to_json(nullif(became.login_id, ''))::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(became.is_primary)::text, 'null') END, CASE WHEN was.date_of_birth IS DISTINCT FROM became.date_of_birth THEN '"date_of_birth":' || coalesce(to_json(became.date_of_birth)::text, 'null') END, CASE WHEN was.security_answer_sealed IS DISTINCT FROM became.security_answer_sealed THEN '"security_answer_sealed":' || coalesce(CASE WHEN became.security_answer_sealed IS NOT NULL THEN '"***"' END::text, 'null') END, CASE WHEN was.social_id_sealed IS DISTINCT FROM became.social_id_sealed THEN '"social_id_sealed":' || coalesce(CASE WHEN became.social_id_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.social_id_digest IS DISTINCT FROM became.social_id_digest AND was.social_id_digest IS NOT NULL THEN '"social_id_digest":' || to_json(was.social_id_digest)::text END, CASE WHEN was.social_id_last4 IS DISTINCT FROM became.social_id_last4 AND was.social_id_last4 IS NOT NULL THEN '"social_id_last4":' || to_json(was.social_id_last4)::text END), '') || '}')::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.security_answer_sealed IS DISTINCT FROM became.security_answer_sealed AND was.security_answer_sealed IS NOT NULL THEN '"security_answer_sealed":' || to_json(was.security_answer_sealed)::text END, CASE WHEN was.social_id_sealed IS DISTINCT FROM became.social_id_sealed AND was.social_id_sealed IS NOT NULL THEN '"social_id_sealed":' || to_json(was.social_id_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.prefix, was.first_name, was.middle_name, was.last_name, was.suffix, was.sex, was.gender, was.pronoun, was.security_question, was.birth_city, was.birth_country, was.social_id_country, was.citizenship_country, was.login_id, was.is_primary, was.date_of_birth, was.security_answer_sealed, was.social_id_sealed) IS DISTINCT FROM (became.prefix, became.first_name, became.middle_name, became.last_name, became.suffix, became.sex, became.gender, became.pronoun, became.security_question, became.birth_city, became.birth_country, became.social_id_country, became.citizenship_country, became.login_id, became.is_primary, became.date_of_birth, became.security_answer_sealed, became.social_id_sealed)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_contact()');
COMMIT;

-- function kith_record_contactpoint()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_contactpoint()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'contactPoint', became.id, 'created', ('{' || concat_ws(',', '"kind":' || to_json(nullif(became.kind, '')), '"value":' || to_json(nullif(became.value, '')), '"phone_type":' || to_json(nullif(became.phone_type, '')), '"provider":' || to_json(nullif(became.provider, '')), '"extension":' || to_json(nullif(became.extension, '')), '"contact_id":' || to_json(became.contact_id), '"is_primary":' || to_json(became.is_primary), '"is_verified":' || to_json(became.is_verified)) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'contactPoint', was.id, 'deleted',
               ('{' || concat_ws(',', '"kind":' || to_json(nullif(was.kind, '')), '"value":' || to_json(nullif(was.value, '')), '"phone_type":' || to_json(nullif(was.phone_type, '')), '"provider":' || to_json(nullif(was.provider, '')), '"extension":' || to_json(nullif(was.extension, '')), '"contact_id":' || to_json(was.contact_id), '"is_primary":' || to_json(was.is_primary), '"is_verified":' || to_json(was.is_verified)) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.value_key IS NOT NULL THEN '"value_key":' || to_json(was.value_key)::text END, CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'contactPoint', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.kind IS DISTINCT FROM became.kind THEN '"kind":' || coalesce(to_json(nullif(was.kind, ''))::text, 'null') END, CASE WHEN was.value IS DISTINCT FROM became.value THEN '"value":' || coalesce(to_json(nullif(was.value, ''))::text, 'null') END, CASE WHEN was.phone_type IS DISTINCT FROM became.phone_type THEN '"phone_type":' || coalesce(to_json(nullif(was.phone_type, ''))::text, 'null') END, CASE WHEN was.provider IS DISTINCT FROM became.provider THEN '"provider":' || coalesce(to_json(nullif(was.provider, ''))::text, 'null') END, CASE WHEN was.extension IS DISTINCT FROM became.extension THEN '"extension":' || coalesce(to_json(nullif(was.extension, ''))::text, 'null') END, CASE WHEN was.contact_id IS DISTINCT FROM became.contact_id THEN '"contact_id":' || coalesce(to_json(was.contact_id)::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(was.is_primary)::text, 'null') END, CASE WHEN was.is_verified IS DISTINCT FROM became.is_verified THEN '"is_verified":' || coalesce(to_json(was.is_verified)::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.kind IS DISTINCT FROM became.kind THEN '"kind":' || coalesce(to_json(nullif(became.kind, ''))::text, 'null') END, CASE WHEN was.value IS DISTINCT FROM became.value THEN '"value":' || coalesce(to_json(nullif(became.value, ''))::text, 'null') END, CASE WHEN was.phone_type IS DISTINCT FROM became.phone_type THEN '"phone_type":' || coalesce(to_json(nullif(became.phone_type, ''))::text, 'null') END, CASE WHEN was.provider IS DISTINCT FROM became.provider THEN '"provider":' || coalesce(to_json(nullif(became.provider, ''))::text, 'null') END, CASE WHEN was.extension IS DISTINCT FROM became.extension THEN '"extension":' || coalesce(to_json(nullif(became.extension, ''))::text, 'null') END, CASE WHEN was.contact_id IS DISTINCT FROM became.contact_id THEN '"contact_id":' || coalesce(to_json(became.contact_id)::text, 'null') END, CASE WHEN was.is_primary IS DISTINCT FROM became.is_primary THEN '"is_primary":' || coalesce(to_json(became.is_primary)::text, 'null') END, CASE WHEN was.is_verified IS DISTINCT FROM became.is_verified THEN '"is_verified":' || coalesce(to_json(became.is_verified)::text, 'null') END) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.value_key IS DISTINCT FROM became.value_key AND was.value_key IS NOT NULL THEN '"value_key":' || to_json(was.value_key)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.kind, was.value, was.phone_type, was.provider, was.extension, was.contact_id, was.is_primary, was.is_verified) IS DISTINCT FROM (became.kind, became.value, became.phone_type, became.provider, became.extension, became.contact_id, became.is_primary, became.is_verified)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_contactpoint()');
COMMIT;

-- function kith_record_customer()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_customer()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.id::text,
                act.request_id) END,
            act.reason, became.id, 'customer', became.id, 'created', ('{' || concat_ws(',', '"type":' || to_json(nullif(became.type, '')), '"status":' || to_json(nullif(became.status, '')), '"external_id":' || to_json(nullif(became.external_id, '')), '"business_name":' || to_json(nullif(became.business_name, '')), '"role":' || to_json(nullif(became.role, '')), '"industry":' || to_json(nullif(became.industry, '')), '"market_segment":' || to_json(nullif(became.market_segment, '')), '"entitlements":' || to_json(nullif(became.entitlements, '')), '"level":' || to_json(nullif(became.level, '')), '"how_referred":' || to_json(nullif(became.how_referred, '')), '"business_account_id":' || to_json(became.business_account_id), '"department_id":' || to_json(became.department_id), '"preferred_agent_id":' || to_json(became.preferred_agent_id), '"metadata":' || to_json(nullif(became.metadata, '{}')), '"pin_sealed":' || CASE WHEN became.pin_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.id::text,
                act.request_id) END,
            act.reason, was.id, 'customer', was.id, 'deleted',
               ('{' || concat_ws(',', '"type":' || to_json(nullif(was.type, '')), '"status":' || to_json(nullif(was.status, '')), '"external_id":' || to_json(nullif(was.external_id, '')), '"business_name":' || to_json(nullif(was.business_name, '')), '"role":' || to_json(nullif(was.role, '')), '"industry":' || to_json(nullif(was.industry, '')), '"market_segment":' || to_json(nullif(was.market_segment, '')), '"entitlements":' || to_json(nullif(was.entitlements, '')), '"level":' || to_json(nullif(was.level, '')), '"how_referred":' || to_json(nullif(was.how_referred, '')), '"business_account_id":' || to_json(was.business_account_id), '"department_id":' || to_json(was.department_id), '"preferred_agent_id":' || to_json(was.preferred_agent_id), '"metadata":' || to_json(nullif(was.metadata, '{}')), '"pin_sealed":' || CASE WHEN was.pin_sealed IS NOT NULL THEN '"***"' END) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.version IS NOT NULL THEN '"version":' || to_json(was.version)::text END, CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END, CASE WHEN was.created_by_type IS NOT NULL THEN '"created_by_type":' || to_json(was.created_by_type)::text END, CASE WHEN was.created_by_id IS NOT NULL THEN '"created_by_id":' || to_json(was.created_by_id)::text END), '') || '}')::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.pin_sealed IS NOT NULL THEN '"pin_sealed":' || to_json(was.pin_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.id::text,
                act.request_id) END,
            act.reason, was.id, 'customer', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(was.type, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(was.status, ''))::text, 'null') END, CASE WHEN was.external_id IS DISTINCT FROM became.external_id THEN '"external_id":' || coalesce(to_json(nullif(was.external_id, ''))::text, 'null') END, CASE WHEN was.business_name IS DISTINCT FROM became.business_name THEN '"business_name":' || coalesce(to_json(nullif(was.business_name, ''))::text, 'null') END, CASE WHEN was.role IS DISTINCT FROM became.role THEN '"role":' || coalesce(to_json(nullif(was.role, ''))::text, 'null') END, CASE WHEN was.industry IS DISTINCT FROM became.industry THEN '"industry":' || coalesce(to_json(nullif(was.industry, ''))::text, 'null') END, CASE WHEN was.market_segment IS DISTINCT FROM became.market_segment THEN '"market_segment":' || coalesce(to_json(nullif(was.market_segment, ''))::text, 'null') END, CASE WHEN was.entitlements IS DISTINCT FROM became.entitlements THEN '"entitlements":' || coalesce(to_json(nullif(was.entitlements, ''))::text, 'null') END, CASE WHEN was.level IS DISTINCT FROM became.level THEN '"level":' || coalesce(to_json(nullif(was.level, ''))::text, 'null') END, CASE WHEN was.how_referred IS DISTINCT FROM became.how_referred THEN '"how_referred":' || coalesce(to_json(nullif(was.how_referred, ''))::text, 'null') END, CASE WHEN was.business_account_id IS DISTINCT FROM became.business_account_id THEN '"business_account_id":' || coalesce(to_json(was.business_account_id)::text, 'null') END, CASE WHEN was.department_id IS DISTINCT FROM became.department_id THEN '"department_id":' || coalesce(to_json(was.department_id)::text, 'null') END, CASE WHEN was.preferred_agent_id IS DISTINCT FROM became.preferred_agent_id THEN '"preferred_agent_id":' || coalesce(to_json(was.preferred_agent_id)::text, 'null') END, CASE WHEN was.metadata IS DISTINCT FROM became.metadata THEN '"metadata":' || coalesce(to_json(nullif(was.metadata, '{}'))::text, 'null') END, CASE WHEN was.pin_sealed IS DISTINCT FROM became.pin_sealed THEN '"pin_sealed":' || coalesce(CASE WHEN was.pin_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.type IS DISTINCT FROM became.type THEN '"type":' || coalesce(to_json(nullif(became.type, ''))::text, 'null') END, CASE WHEN was.status IS DISTINCT FROM became.status THEN '"status":' || coalesce(to_json(nullif(became.status, ''))::text, 'null') END, CASE WHEN was.external_id IS DISTINCT FROM became.external_id THEN '"external_id":' || coalesce(to_json(nullif(became.external_id, ''))::text, 'null') END, CASE WHEN was.business_name IS DISTINCT FROM became.business_name THEN '"business_name":' || coalesce(to_json(nullif(became.business_name, ''))::text, 'null') END, CASE WHEN was.role IS DISTINCT FROM became.role THEN '"role":' || coalesce(to_json(nullif(became.role, ''))::text, 'null') END, CASE WHEN was.industry IS DISTINCT FROM became.industry THEN '"industry":' || coalesce(to_json(nullif(became.industry, ''))::text, 'null') END, CASE WHEN was.market_segment IS DISTINCT FROM became.market_segment THEN '"market_segment":' || coalesce(to_json(nullif(became.market_segment, ''))::text, 'null') END, CASE WHEN was.entitlements IS DISTINCT FROM became.entitlements THEN '"entitlements":' || coalesce(to_json(nullif(became.entitlements, ''))::text, 'null') END, CASE WHEN was.level IS DISTINCT FROM became.level THEN '"level":' || coalesce(to_json(nullif(became.level, ''))::text, 'null') END, CASE WHEN was.how_referred IS DISTINCT FROM became.how_referred THEN '"how_referred":' || coalesce(to_json(nullif(became.how_referred, ''))::text, 'null') END, CASE WHEN was.business_account_id IS DISTINCT FROM became.business_account_id THEN '"business_account_id":' || coalesce(to_json(became.business_account_id)::text, 'null') END, CASE WHEN was.department_id IS DISTINCT FROM became.department_id THEN '"department_id":' || coalesce(to_json(became.department_id)::text, 'null') END, CASE WHEN was.preferred_agent_id IS DISTINCT FROM became.preferred_agent_id THEN '"preferred_agent_id":' || coalesce(to_json(became.preferred_agent_id)::text, 'null') END, CASE WHEN was.metadata IS DISTINCT FROM became.metadata THEN '"metadata":' || coalesce(to_json(nullif(became.metadata, '{}'))::text, 'null') END, CASE WHEN was.pin_sealed IS DISTINCT FROM became.pin_sealed THEN '"pin_sealed":' || coalesce(CASE WHEN became.pin_sealed IS NOT NULL THEN '"***"' END::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, ('{' || nullif(concat_ws(',', CASE WHEN was.pin_sealed IS DISTINCT FROM became.pin_sealed AND was.pin_sealed IS NOT NULL THEN '"pin_sealed":' || to_json(was.pin_sealed)::text END), '') || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.id = was.id AND became.id = was.id
        WHERE (was.type, was.status, was.external_id, was.business_name, was.role, was.industry, was.market_segment, was.entitlements, was.level, was.how_referred, was.business_account_id, was.department_id, was.preferred_agent_id, was.metadata, was.pin_sealed) IS DISTINCT FROM (became.type, became.status, became.external_id, became.business_name, became.role, became.industry, became.market_segment, became.entitlements, became.level, became.how_referred, became.business_account_id, became.department_id, became.preferred_agent_id, became.metadata, became.pin_sealed)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_customer()');
COMMIT;

-- function kith_record_enrollment()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_enrollment()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.customer_id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'enrollment', became.customer_id, 'created', ('{' || concat_ws(',', '"source_parent_customer_id":' || to_json(nullif(became.source_parent_customer_id, '')), '"organization_id":' || to_json(nullif(became.organization_id, '')), '"postal_code":' || to_json(nullif(became.postal_code, '')), '"country":' || to_json(nullif(became.country, '')), '"enrollment_opt_in_status":' || to_json(nullif(became.enrollment_opt_in_status, '')), '"targeting_indicator":' || to_json(nullif(became.targeting_indicator, '')), '"redemption_eligibility":' || to_json(nullif(became.redemption_eligibility, '')), '"parent_customer_id":' || to_json(became.parent_customer_id), '"customer_creation_date":' || to_json(became.customer_creation_date), '"enrollment_start_date":' || to_json(became.enrollment_start_date), '"enrollment_end_date":' || to_json(became.enrollment_end_date), '"alert_opt_in_status":' || to_json(nullif(became.alert_opt_in_status, '{}'))) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.customer_id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'enrollment', was.customer_id, 'deleted',
               ('{' || concat_ws(',', '"source_parent_customer_id":' || to_json(nullif(was.source_parent_customer_id, '')), '"organization_id":' || to_json(nullif(was.organization_id, '')), '"postal_code":' || to_json(nullif(was.postal_code, '')), '"country":' || to_json(nullif(was.country, '')), '"enrollment_opt_in_status":' || to_json(nullif(was.enrollment_opt_in_status, '')), '"targeting_indicator":' || to_json(nullif(was.targeting_indicator, '')), '"redemption_eligibility":' || to_json(nullif(was.redemption_eligibility, '')), '"parent_customer_id":' || to_json(was.parent_customer_id), '"customer_creation_date":' || to_json(was.customer_creation_date), '"enrollment_start_date":' || to_json(was.enrollment_start_date), '"enrollment_end_date":' || to_json(was.enrollment_end_date), '"alert_opt_in_status":' || to_json(nullif(was.alert_opt_in_status, '{}'))) || '}')::jsonb,
               ('{' || nullif(concat_ws(',', CASE WHEN was.created_at IS NOT NULL THEN '"created_at":' || to_json(was.created_at)::text END), '') || '}')::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after, kept, sealed)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.customer_id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'enrollment', was.customer_id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.source_parent_customer_id IS DISTINCT FROM became.source_parent_customer_id THEN '"source_parent_customer_id":' || coalesce(to_json(nullif(was.source_parent_customer_id, ''))::text, 'null') END, CASE WHEN was.organization_id IS DISTINCT FROM became.organization_id THEN '"organization_id":' || coalesce(to_json(nullif(was.organization_id, ''))::text, 'null') END, CASE WHEN was.postal_code IS DISTINCT FROM became.postal_code THEN '"postal_code":' || coalesce(to_json(nullif(was.postal_code, ''))::text, 'null') END, CASE WHEN was.country IS DISTINCT FROM became.country THEN '"country":' || coalesce(to_json(nullif(was.country, ''))::text, 'null') END, CASE WHEN was.enrollment_opt_in_status IS DISTINCT FROM became.enrollment_opt_in_status THEN '"enrollment_opt_in_status":' || coalesce(to_json(nullif(was.enrollment_opt_in_status, ''))::text, 'null') END, CASE WHEN was.targeting_indicator IS DISTINCT FROM became.targeting_indicator THEN '"targeting_indicator":' || coalesce(to_json(nullif(was.targeting_indicator, ''))::text, 'null') END, CASE WHEN was.redemption_eligibility IS DISTINCT FROM became.redemption_eligibility THEN '"redemption_eligibility":' || coalesce(to_json(nullif(was.redemption_eligibility, ''))::text, 'null') END, CASE WHEN was.parent_customer_id IS DISTINCT FROM became.parent_customer_id THEN '"parent_customer_id":' || coalesce(to_json(was.parent_customer_id)::text, 'null') END, CASE WHEN was.customer_creation_date IS DISTINCT FROM became.customer_creation_date THEN '"customer_creation_date":' || coalesce(to_json(was.customer_creation_date)::text, 'null') END, CASE WHEN was.enrollment_start_date IS DISTINCT FROM became.enrollment_start_date THEN '"enrollment_start_date":' || coalesce(to_json(was.enrollment_start_date)::text, 'null') END, CASE WHEN was.enrollment_end_date IS DISTINCT FROM became.enrollment_end_date THEN '"enrollment_end_date":' || coalesce(to_json(was.enrollment_end_date)::text, 'null') END, CASE WHEN was.alert_opt_in_status IS DISTINCT FROM became.alert_opt_in_status THEN '"alert_opt_in_status":' || coalesce(to_json(nullif(was.alert_opt_in_status, '{}'))::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.source_parent_customer_id IS DISTINCT FROM became.source_parent_customer_id THEN '"source_parent_customer_id":' || coalesce(to_json(nullif(became.source_parent_customer_id, ''))::text, 'null') END, CASE WHEN was.organization_id IS DISTINCT FROM became.organization_id THEN '"organization_id":' || coalesce(to_json(nullif(became.organization_id, ''))::text, 'null') END, CASE WHEN was.postal_code IS DISTINCT FROM became.postal_code THEN '"postal_code":' || coalesce(to_json(nullif(became.postal_code, ''))::text, 'null') END, CASE WHEN was.country IS DISTINCT FROM became.country THEN '"country":' || coalesce(to_json(nullif(became.country, ''))::text, 'null') END, CASE WHEN was.enrollment_opt_in_status IS DISTINCT FROM became.enrollment_opt_in_status THEN '"enrollment_opt_in_status":' || coalesce(to_json(nullif(became.enrollment_opt_in_status, ''))::text, 'null') END, CASE WHEN was.targeting_indicator IS DISTINCT FROM became.targeting_indicator THEN '"targeting_indicator":' || coalesce(to_json(nullif(became.targeting_indicator, ''))::text, 'null') END, CASE WHEN was.redemption_eligibility IS DISTINCT FROM became.redemption_eligibility THEN '"redemption_eligibility":' || coalesce(to_json(nullif(became.redemption_eligibility, ''))::text, 'null') END, CASE WHEN was.parent_customer_id IS DISTINCT FROM became.parent_customer_id THEN '"parent_customer_id":' || coalesce(to_json(became.parent_customer_id)::text, 'null') END, CASE WHEN was.customer_creation_date IS DISTINCT FROM became.customer_creation_date THEN '"customer_creation_date":' || coalesce(to_json(became.customer_creation_date)::text, 'null') END, CASE WHEN was.enrollment_start_date IS DISTINCT FROM became.enrollment_start_date THEN '"enrollment_start_date":' || coalesce(to_json(became.enrollment_start_date)::text, 'null') END, CASE WHEN was.enrollment_end_date IS DISTINCT FROM became.enrollment_end_date THEN '"enrollment_end_date":' || coalesce(to_json(became.enrollment_end_date)::text, 'null') END, CASE WHEN was.alert_opt_in_status IS DISTINCT FROM became.alert_opt_in_status THEN '"alert_opt_in_status":' || coalesce(to_json(nullif(became.alert_opt_in_status, '{}'))::text, 'null') END) || '}')::jsonb,
               NULL::jsonb, NULL::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.customer_id = was.customer_id
        WHERE (was.source_parent_customer_id, was.organization_id, was.postal_code, was.country, was.enrollment_opt_in_status, was.targeting_indicator, was.redemption_eligibility, was.parent_customer_id, was.customer_creation_date, was.enrollment_start_date, was.enrollment_end_date, was.alert_opt_in_status) IS DISTINCT FROM (became.source_parent_customer_id, became.organization_id, became.postal_code, became.country, became.enrollment_opt_in_status, became.targeting_indicator, became.redemption_eligibility, became.parent_customer_id, became.customer_creation_date, became.enrollment_start_date, became.enrollment_end_date, became.alert_opt_in_status)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_enrollment()');
COMMIT;

-- function kith_record_reveal()
BEGIN;
CREATE OR REPLACE FUNCTION public.kith_record_reveal()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> became.id::text, act.requests ->> became.customer_id::text,
                act.request_id) END,
            act.reason, became.customer_id, 'reveal', became.id, 'created', ('{' || concat_ws(',', '"ends_at":' || to_json(became.ends_at)) || '}')::jsonb
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'reveal', was.id, 'deleted',
               ('{' || concat_ws(',', '"ends_at":' || to_json(was.ends_at)) || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation, before, after)
        SELECT nextval('customers_change_id_seq'), act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> was.id::text, act.requests ->> was.customer_id::text,
                act.request_id) END,
            act.reason, was.customer_id, 'reveal', was.id, 'updated',
               ('{' || concat_ws(',', CASE WHEN was.ends_at IS DISTINCT FROM became.ends_at THEN '"ends_at":' || coalesce(to_json(was.ends_at)::text, 'null') END) || '}')::jsonb, ('{' || concat_ws(',', CASE WHEN was.ends_at IS DISTINCT FROM became.ends_at THEN '"ends_at":' || coalesce(to_json(became.ends_at)::text, 'null') END) || '}')::jsonb
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.customer_id = was.customer_id AND became.id = was.id
        WHERE (was.ends_at) IS DISTINCT FROM (became.ends_at)$rows$, shard);
    END IF;
    RETURN NULL;
END
$function$;
SELECT create_distributed_function('kith_record_reveal()');
COMMIT;

-- foreign key customers_activity_customer_id_2da340a2_fk_customers of customers_activity
BEGIN;
ALTER TABLE "customers_activity" ADD CONSTRAINT "customers_activity_customer_id_2da340a2_fk_customers" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_activity' AND name = 'customers_activity_customer_id_2da340a2_fk_customers';
COMMIT;

-- foreign key customers_address_customer_id_f042422e_fk_customers_customer_id of customers_address
BEGIN;
ALTER TABLE "customers_address" ADD CONSTRAINT "customers_address_customer_id_f042422e_fk_customers_customer_id" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_address' AND name = 'customers_address_customer_id_f042422e_fk_customers_customer_id';
COMMIT;

-- foreign key customers_attributed_business_account_id_3cdbf17e_fk_customers of customers_attributedefinition
BEGIN;
ALTER TABLE "customers_attributedefinition" ADD CONSTRAINT "customers_attributed_business_account_id_3cdbf17e_fk_customers" FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributedefinition' AND name = 'customers_attributed_business_account_id_3cdbf17e_fk_customers';
COMMIT;

-- foreign key attribute_value_of_contact of customers_attributevalue
BEGIN;
ALTER TABLE "customers_attributevalue" ADD CONSTRAINT "attribute_value_of_contact" FOREIGN KEY (customer_id, contact_id) REFERENCES customers_contact(customer_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'attribute_value_of_contact';
COMMIT;

-- foreign key customers_attributev_customer_id_5edb5cf1_fk_customers of customers_attributevalue
BEGIN;
ALTER TABLE "customers_attributevalue" ADD CONSTRAINT "customers_attributev_customer_id_5edb5cf1_fk_customers" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'customers_attributev_customer_id_5edb5cf1_fk_customers';
COMMIT;

-- foreign key customers_businessac_parent_id_ce0c2641_fk_customers of customers_businessaccount
BEGIN;
ALTER TABLE "customers_businessaccount" ADD CONSTRAINT "customers_businessac_parent_id_ce0c2641_fk_customers" FOREIGN KEY (parent_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_businessaccount' AND name = 'customers_businessac_parent_id_ce0c2641_fk_customers';
COMMIT;

-- foreign key customers_contact_customer_id_b9afc0da_fk_customers_customer_id of customers_contact
BEGIN;
ALTER TABLE "customers_contact" ADD CONSTRAINT "customers_contact_customer_id_b9afc0da_fk_customers_customer_id" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contact' AND name = 'customers_contact_customer_id_b9afc0da_fk_customers_customer_id';
COMMIT;

-- foreign key contact_point_of_contact of customers_contactpoint
BEGIN;
ALTER TABLE "customers_contactpoint" ADD CONSTRAINT "contact_point_of_contact" FOREIGN KEY (customer_id, contact_id) REFERENCES customers_contact(customer_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contactpoint' AND name = 'contact_point_of_contact';
COMMIT;

-- foreign key customers_department_business_account_id_5d46a137_fk_customers of customers_department
BEGIN;
ALTER TABLE "customers_department" ADD CONSTRAINT "customers_department_business_account_id_5d46a137_fk_customers" FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_department' AND name = 'customers_department_business_account_id_5d46a137_fk_customers';
COMMIT;

-- foreign key customers_enrollment_customer_id_daaea78c_fk_customers of customers_enrollment
BEGIN;
ALTER TABLE "customers_enrollment" ADD CONSTRAINT "customers_enrollment_customer_id_daaea78c_fk_customers" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_enrollment' AND name = 'customers_enrollment_customer_id_daaea78c_fk_customers';
COMMIT;

-- foreign key customers_reveal_customer_id_e1e77220_fk_customers_customer_id of customers_reveal
BEGIN;
ALTER TABLE "customers_reveal" ADD CONSTRAINT "customers_reveal_customer_id_e1e77220_fk_customers_customer_id" FOREIGN KEY (customer_id) REFERENCES customers_customer(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_reveal' AND name = 'customers_reveal_customer_id_e1e77220_fk_customers_customer_id';
COMMIT;

-- foreign key customers_user_business_account_id_131233f4_fk_customers of customers_user
BEGIN;
ALTER TABLE "customers_user" ADD CONSTRAINT "customers_user_business_account_id_131233f4_fk_customers" FOREIGN KEY (business_account_id) REFERENCES customers_businessaccount(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_user' AND name = 'customers_user_business_account_id_131233f4_fk_customers';
COMMIT;

-- foreign key customers_user_department_id_ab971d4e_fk_customers of customers_user
BEGIN;
ALTER TABLE "customers_user" ADD CONSTRAINT "customers_user_department_id_ab971d4e_fk_customers" FOREIGN KEY (department_id) REFERENCES customers_department(id) DEFERRABLE INITIALLY DEFERRED;
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_user' AND name = 'customers_user_department_id_ab971d4e_fk_customers';
COMMIT;

-- trigger recorded_delete of customers_account
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_account REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_account' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_account
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_account REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_account' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_account
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_account REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_account();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_account' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_activity
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_activity REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_activity' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_activity
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_activity REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_activity' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_activity
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_activity REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_activity();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_activity' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_address
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_address REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_address' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_address
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_address REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_address' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_address
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_address REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_address();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_address' AND name = 'recorded_update';
COMMIT;

-- trigger guarded of customers_attributedefinition
BEGIN;
CREATE TRIGGER guarded BEFORE DELETE OR UPDATE ON public.customers_attributedefinition FOR EACH ROW EXECUTE FUNCTION kith_guard_attribute();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributedefinition' AND name = 'guarded';
COMMIT;

-- trigger guarded_insert of customers_attributevalue
BEGIN;
CREATE TRIGGER guarded_insert AFTER INSERT ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'guarded_insert';
COMMIT;

-- trigger guarded_update of customers_attributevalue
BEGIN;
CREATE TRIGGER guarded_update AFTER UPDATE ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'guarded_update';
COMMIT;

-- trigger recorded_delete of customers_attributevalue
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_attributevalue REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_attributevalue
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_attributevalue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_attributevalue
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_attributevalue REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_attributevalue();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_attributevalue' AND name = 'recorded_update';
COMMIT;

-- trigger account_tree_insert of customers_businessaccount
BEGIN;
CREATE TRIGGER account_tree_insert AFTER INSERT ON public.customers_businessaccount FOR EACH ROW WHEN ((new.parent_id IS NOT NULL)) EXECUTE FUNCTION kith_check_account_tree();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_businessaccount' AND name = 'account_tree_insert';
COMMIT;

-- trigger account_tree_move of customers_businessaccount
BEGIN;
CREATE TRIGGER account_tree_move AFTER UPDATE OF parent_id ON public.customers_businessaccount FOR EACH ROW WHEN (((new.parent_id IS NOT NULL) AND (new.parent_id IS DISTINCT FROM old.parent_id))) EXECUTE FUNCTION kith_check_account_tree();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_businessaccount' AND name = 'account_tree_move';
COMMIT;

-- trigger recorded_delete of customers_card
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_card REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_card' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_card
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_card REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_card' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_card
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_card REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_card();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_card' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_contact
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_contact REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contact' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_contact
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_contact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contact' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_contact
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_contact REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contact();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contact' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_contactpoint
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_contactpoint REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contactpoint' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_contactpoint
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_contactpoint REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contactpoint' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_contactpoint
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_contactpoint REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_contactpoint();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_contactpoint' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_customer
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_customer REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_customer' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_customer
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_customer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_customer' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_customer
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_customer REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_customer();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_customer' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_enrollment
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_enrollment REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_enrollment' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_enrollment
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_enrollment REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_enrollment' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_enrollment
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_enrollment REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_enrollment();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_enrollment' AND name = 'recorded_update';
COMMIT;

-- trigger recorded_delete of customers_reveal
BEGIN;
CREATE TRIGGER recorded_delete AFTER DELETE ON public.customers_reveal REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_reveal' AND name = 'recorded_delete';
COMMIT;

-- trigger recorded_insert of customers_reveal
BEGIN;
CREATE TRIGGER recorded_insert AFTER INSERT ON public.customers_reveal REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_reveal' AND name = 'recorded_insert';
COMMIT;

-- trigger recorded_update of customers_reveal
BEGIN;
CREATE TRIGGER recorded_update AFTER UPDATE ON public.customers_reveal REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kith_record_reveal();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_reveal' AND name = 'recorded_update';
COMMIT;

-- trigger password_ends_access of customers_user
BEGIN;
CREATE TRIGGER password_ends_access AFTER UPDATE OF password, is_active ON public.customers_user FOR EACH ROW WHEN ((((new.password)::text IS DISTINCT FROM (old.password)::text) OR (old.is_active AND (NOT new.is_active)))) EXECUTE FUNCTION kith_end_access();
DELETE FROM "kith_put_aside" WHERE on_table = 'customers_user' AND name = 'password_ends_access';
COMMIT;
-- left out: foreign key customers_accesstoken_user_id_921b7e4a_fk_customers_user_id of customers_accesstoken to customers_user
-- left out: foreign key customers_account_business_account_id_b95b506a_fk_customers of customers_account to customers_businessaccount
-- left out: foreign key customers_attributec_business_account_id_252774dc_fk_customers of customers_attributeconversion to customers_businessaccount
-- left out: foreign key customers_attributec_definition_id_71d287be_fk_customers of customers_attributeconversion to customers_attributedefinition
-- left out: foreign key customers_attributev_definition_id_ba5b0d6b_fk_customers of customers_attributevalue to customers_attributedefinition
-- left out: foreign key customers_authenticator_user_id_c3cadd42_fk_customers_user_id of customers_authenticator to customers_user
-- left out: foreign key customers_customer_business_account_id_c85c4d7f_fk_customers of customers_customer to customers_businessaccount
-- left out: foreign key customers_customer_department_id_738c8343_fk_customers of customers_customer to customers_department
-- left out: foreign key customers_customer_preferred_agent_id_267cadd7_fk_customers of customers_customer to customers_user
-- left out: foreign key customers_grant_user_id_3f4cf163_fk_customers_user_id of customers_grant to customers_user
-- left out: foreign key customers_idtoken_user_id_9d6794d9_fk_customers_user_id of customers_idtoken to customers_user
-- left out: foreign key customers_oauthclien_business_account_id_6eb9004c_fk_customers of customers_oauthclient to customers_businessaccount
-- left out: foreign key customers_oauthclient_user_id_b5e050c5_fk_customers_user_id of customers_oauthclient to customers_user
-- left out: foreign key customers_recoverycode_user_id_fd6fabb6_fk_customers_user_id of customers_recoverycode to customers_user
-- left out: foreign key customers_refreshtoken_user_id_d8a2bcde_fk_customers_user_id of customers_refreshtoken to customers_user
-- left out: foreign key customers_reveal_employee_id_b1d58622_fk_customers_user_id of customers_reveal to customers_user
-- left out: foreign key customers_serviceacc_business_account_id_d13052e7_fk_customers of customers_serviceaccount to customers_businessaccount
-- left out: foreign key customers_signinatte_business_account_id_b70c8259_fk_customers of customers_signinattempt to customers_businessaccount
-- left out: foreign key customers_signinattempt_person_id_bf824282_fk_customers_user_id of customers_signinattempt to customers_user
-- left out: foreign key customers_user_forei_department_id_3fe635c0_fk_customers of customers_user_foreign_departments to customers_department
-- left out: foreign key customers_user_forei_user_id_40647331_fk_customers of customers_user_foreign_departments to customers_user
-- left out: foreign key customers_user_groups_user_id_5d6dd108_fk_customers_user_id of customers_user_groups to customers_user
-- left out: foreign key customers_user_user__user_id_f91e86da_fk_customers of customers_user_user_permissions to customers_user
-- left out: foreign key django_admin_log_user_id_c564eba6_fk_customers_user_id of django_admin_log to customers_user
-- left out: foreign key ingest_bulkdraft_business_account_id_983d43cd_fk_customers of ingest_bulkdraft to customers_businessaccount
-- left out: foreign key ingest_bulkdraft_user_id_f2b665ab_fk_customers_user_id of ingest_bulkdraft to customers_user
-- left out: foreign key ingest_bulkrequest_business_account_id_8434d2ee_fk_customers of ingest_bulkrequest to customers_businessaccount
-- left out: foreign key ingest_columnmapping_business_account_id_6f87ca03_fk_customers of ingest_columnmapping to customers_businessaccount
-- left out: foreign key oauth2_provider_devi_user_id_1cec5156_fk_customers of oauth2_provider_devicegrant to customers_user
-- left out: foreign key search_customersearc_business_account_id_b9db6527_fk_customers of search_customersearch to customers_businessaccount
