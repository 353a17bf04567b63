from django.db import migrations


class Migration(migrations.Migration):
    """Room on each page and an early vacuum for the tables that are worked all day."""

    dependencies = [("decisions", "0003_guards")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE decisions_task SET (
                fillfactor = 70,
                autovacuum_vacuum_scale_factor = 0.01,
                autovacuum_vacuum_threshold = 1000,
                autovacuum_analyze_scale_factor = 0.02,
                autovacuum_vacuum_cost_delay = 0
            );
            ALTER TABLE decisions_action SET (
                fillfactor = 80,
                autovacuum_vacuum_scale_factor = 0.02,
                autovacuum_analyze_scale_factor = 0.02
            );
            ALTER TABLE decisions_pendinglabel SET (autovacuum_vacuum_scale_factor = 0.02);
            ALTER TABLE decisions_rollup SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
            """,
            """
            ALTER TABLE decisions_task RESET (
                fillfactor,
                autovacuum_vacuum_scale_factor,
                autovacuum_vacuum_threshold,
                autovacuum_analyze_scale_factor,
                autovacuum_vacuum_cost_delay
            );
            ALTER TABLE decisions_action RESET (
                fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor
            );
            ALTER TABLE decisions_pendinglabel RESET (autovacuum_vacuum_scale_factor);
            ALTER TABLE decisions_rollup RESET (fillfactor, autovacuum_vacuum_scale_factor);
            """,
        )
    ]
