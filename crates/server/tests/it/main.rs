//! The service from outside: real sockets, whole answers.
#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    reason = "a test ends where it finds a fault, and prefers short lines to fast ones"
)]

mod access;
mod addressing;
mod api_keys;
mod apply;
mod bad_bodies;
mod bad_tokens;
mod batch;
mod batch_again;
mod batch_limits;
mod batch_model;
mod batch_multipart;
mod bulk;
mod change;
mod checklist;
mod client;
mod clients;
mod collection;
mod command;
mod controls;
mod create;
mod delta;
mod demo;
mod disk;
mod documents;
mod durability;
mod export;
mod fake;
mod formats;
mod graph_limits;
mod http2;
mod import;
mod issuer_documents;
mod issuer_faults;
mod issuers;
mod language;
mod limits;
mod many_tokens;
mod names;
mod origin;
mod parts;
mod power_query;
mod preferences;
mod process;
mod property;
mod protocol;
mod query;
mod readme;
mod registered;
mod repeat;
mod report;
mod report_model;
mod reports;
mod rows;
mod sample;
mod schemas;
mod secure;
mod signers;
mod sources;
mod tenants;
mod tls;
mod tunnel;
mod world;

/// The main suite, three times: with the catalogue as it is, the same over HTTP/2
/// under TLS, and with a catalogue in which every property has another name.
macro_rules! suite {
    ($($module:ident: $($case:ident)*;)*) => {
        mod plain {
            $(mod $module {
                $(#[test]
                fn $case() {
                    crate::$module::$case(&crate::world::World::plain());
                })*
            })*
        }
        mod over_http2 {
            $(mod $module {
                $(#[test]
                fn $case() {
                    crate::$module::$case(&crate::world::World::over_http2());
                })*
            })*
        }
        mod renamed {
            $(mod $module {
                $(#[test]
                fn $case() {
                    crate::$module::$case(&crate::world::World::renamed());
                })*
            })*
        }
    };
}

suite! {
    create:
        the_page_s_numbers_are_created_and_read_back_equal
        location_keeps_the_path_that_was_used
        preferences_decide_what_comes_back
        lenient_takes_a_missing_count_as_null
        null_is_a_count_that_was_not_reported
        counts_reach_to_the_end_of_int64
        ids_are_given_or_assigned
        another_tenant_may_hold_the_same_id_and_fact
        the_same_fact_again_is_409
        of_100_simultaneous_creates_of_one_fact_one_wins
        periods_are_kept_as_graph_writes_them
        dates_reach_from_the_first_year_to_tomorrow
        types_and_annotations_in_every_spelling
        content_types
        a_property_of_another_type_is_refused
        gzipped_bodies_are_read
        bodies_have_a_limit
        chunked_bodies_are_read
        requests_keep_their_clients_name;
    bad_bodies:
        every_bad_body_gets_its_answer_and_leaves_no_trace;
    bulk:
        each_row_has_its_outcome
        what_came_in_bulk_is_what_single_creates_make
        lines_of_json
        a_key_that_is_given_counts
        strict_stores_all_or_nothing
        replacing_takes_the_permission_to_change
        a_dry_run_changes_nothing
        gzip_is_read_as_it_comes
        a_body_without_rows_says_why
        who_may_not_create_is_told_nothing_else;
    addressing:
        an_expression_in_the_path_leaves_a_part
        what_follows_sees_that_part_alone
        a_query_may_come_in_a_body
        what_a_query_in_a_body_cannot_be
        a_query_in_a_batch_reads
        an_entity_has_one_name
        types_may_be_named_by_the_alias
        an_id_in_an_expression_is_text;
    batch:
        each_request_has_its_answer
        every_form_of_address
        as_sdks_write_it
        a_batch_that_cannot_be_read_does_nothing
        requests_depend_on_others
        a_batch_goes_on_unless_it_is_told_not_to
        a_group_is_done_as_a_whole_or_not_at_all
        a_failed_group_is_told_what_is_true_after_it
        a_batch_that_is_sent_again_makes_no_second_row
        a_batch_holds_no_batch_and_no_file
        the_token_of_the_batch_counts_for_all_of_it;
    batch_again:
        a_batch_s_id_stands_for_that_batch_alone
        another_batch_at_the_same_time_does_nothing;
    batch_multipart:
        as_the_client_of_net_writes_it
        as_olingo_writes_it
        as_ui5_writes_it
        a_change_set_that_fails_has_one_answer
        a_multipart_batch_that_cannot_be_read_does_nothing;
    change:
        patch_merges
        put_replaces
        a_body_cannot_change_the_key
        a_change_keeps_the_rules
        a_fact_cannot_be_moved_onto_another
        deleted_is_gone
        preconditions
        a_tag_in_a_body_must_hold_in_4_01_alone
        by_the_alternate_key
        upsert_only_when_it_is_asked_for;
    collection:
        empty
        newest_day_first
        pages_hold_every_row_once
        pages_stay_whole_while_others_write
        counts
        what_a_page_cannot_be_asked_for
        what_is_not_served_is_501_and_never_ignored
        what_means_nothing_is_400_and_never_ignored
        what_is_not_there
        head_is_get_without_a_body
        keys_in_every_spelling;
    delta:
        everything_once_and_then_what_changes
        each_spelling_of_the_function
        a_list_can_be_tracked
        what_is_made_of_objects_cannot_be_tracked
        links_hold_filter_and_selection
        from_now_on
        a_link_that_leads_nowhere_is_gone
        who_follows_the_links_ends_with_what_is_there;
    repeat:
        a_create_that_is_sent_again_makes_no_second_row
        a_change_and_a_delete_are_answered_again
        an_id_stands_for_one_request
        an_id_is_its_client_s_own
        what_cannot_be_repeated
        an_answer_is_remembered_for_a_day
        at_the_same_time_all_get_one_answer;
    query:
        each_option_in_every_spelling
        what_is_selected_is_shown_and_named
        of_one_entity_is_shown_what_is_selected
        what_is_selected_of_a_write_is_shown_after_it
        what_is_computed_of_one_entity_follows_its_properties
        counts_hold_under_a_filter_and_ignore_pages
        a_page_is_as_large_as_the_client_prefers
        pages_go_on_in_their_order_while_others_write
        a_token_holds_for_its_own_query
        now_is_one_instant_on_all_pages
        what_is_too_large_says_which_limit
        what_cannot_be_asked
        another_tenant_s_rows_are_in_no_answer
        another_entity_can_be_looked_at;
    formats:
        a_format_that_is_accepted_or_406
        anything_is_what_graph_answers
        what_cannot_be_answered_is_not_written
        a_plain_value_is_plain_text
        without_metadata_are_count_and_next_link_alone
        full_metadata_is_everything
        numbers_of_64_bits_are_strings_for_who_asks
        links_lead_where_they_say
        the_key_that_is_not_selected_is_told_by_the_address
        long_numbers_are_exact_both_ways
        decimals_are_exact
        decimals_order_pages
        long_numbers_in_lines
        what_a_write_answers_is_in_the_form_that_is_accepted
        what_has_changed_needs_metadata;
    preferences:
        nulls_are_left_out_for_who_prefers_that
        only_what_was_honoured_is_said_to_be
        strict_handling_refuses_what_cannot_be_honoured;
    apply:
        what_is_applied_is_answered
        rows_are_written_as_the_client_accepts
        what_is_applied_is_a_file_as_well
        groups_come_in_pages
        a_report_function_is_transformed_as_well
        what_cannot_be_applied
        another_tenant_s_rows_are_in_no_group;
    language:
        every_sentence_of_the_language_is_answered
        segments_that_are_not_served_say_so
        no_words_are_a_fault_of_ours;
    rows:
        csv_is_for_spreadsheets_and_for_import
        lines_are_objects
        every_option_narrows_them
        what_rows_cannot_be_asked_for
        import_takes_back_what_was_given
        head_is_the_same_without_rows
        another_tenant_has_its_own;
    property:
        properties_are_read
        properties_are_written_one_by_one
        what_a_property_cannot_be
        entities_have_addresses;
    protocol:
        what_the_service_document_names_answers
        names_come_as_metadata_declares_them
        every_answer_says_its_version
        what_is_unknown_does_no_harm
        every_property_can_be_compared
        null_is_less_than_any_value_and_compares_with_none
        each_form_of_search
        a_key_is_decoded_once_and_after_the_path_is_split
        a_format_that_is_none_is_refused_where_nothing_is_answered
        sets_are_not_written_at_once;
    report:
        csv_is_a_redirect_to_a_file
        json_is_the_same_rows
        nothing_is_a_heading_row_or_an_empty_list
        each_day_as_it_was_known_last
        every_spelling_that_clients_send
        accept_chooses_where_format_does_not
        what_a_report_cannot_be_asked_for
        query_options_see_the_labelled_rows
        query_options_hold_for_a_file_as_well
        a_file_has_the_columns_that_are_asked_for
        a_link_needs_no_token_and_ends
        a_file_s_tag_changes_with_its_rows
        no_altered_link_leads_anywhere
        a_report_holds_one_tenant_alone;
    documents:
        the_service_document_names_sets_and_singletons
        metadata_is_the_model
        metadata_comes_in_two_formats
        documents_have_tags
        every_address_is_described
        what_is_declared_is_served
        the_singleton_leads_to_the_set
        health
        a_page_for_people
        methods
        scripts_of_other_origins_may_ask
        an_address_can_be_too_long
        a_head_can_be_too_long
        a_header_given_twice_is_none
        versions_of_the_protocol
        hosts_that_are_none_are_refused;
    access:
        the_kinds_of_token
        bad_tokens_get_their_answer
        headers_that_hold_no_token
        unauthenticated_comes_before_everything_else
        a_token_ends_when_it_expires
        audiences_of_graph;
    tenants:
        another_tenant_s_data_changes_no_answer
        a_write_reaches_no_other_tenant
        a_skip_token_leads_to_no_other_tenant
        every_route_says_whether_it_answers_without_a_token;
}
