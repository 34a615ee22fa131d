# The board layer for the ATmega328P (Uno, Nano), included by the Makefile one level up.
#   avr    build/chot-atmega328p.elf and .hex
#   size   flash, and RAM with the deepest stack; fails above what is promised
AVR_CC ?= avr-gcc
MCU := atmega328p
AVR_ELF := $(BUILD)/chot-$(MCU).elf
AVR_SOURCES := $(CORE_SOURCES) $(wildcard avr/*.c)
AVR_OBJECTS := $(AVR_SOURCES:%.c=$(BUILD)/avr/%.o)
AVR_DEFINES := -DF_CPU=16000000UL
AVR_CFLAGS := $(STRICT) -mmcu=$(MCU) -Os -g $(AVR_DEFINES) -Icore -Iavr -ffreestanding \
  -ffunction-sections -fdata-sections -fstack-usage
FLASH_LIMIT := 16384
RAM_LIMIT := 1228
.PHONY: analyse-avr

all: avr

analyse: analyse-avr

avr: $(AVR_ELF) $(BUILD)/chot-$(MCU).hex

$(BUILD)/avr/%.o: %.c $(HEADERS) Makefile avr/avr.mk
	@mkdir -p $(@D)
	$(AVR_CC) $(AVR_CFLAGS) -c -o $@ $<

# The compiler knows no stack of a function that has none, and warns.
$(BUILD)/avr/avr/reset.o: AVR_CFLAGS := $(filter-out -fstack-usage,$(AVR_CFLAGS))

$(AVR_ELF): $(AVR_OBJECTS)
	$(AVR_CC) -mmcu=$(MCU) -Os -Wl,--gc-sections,--fatal-warnings -mrelax -o $@ $^

%.hex: %.elf
	avr-objcopy -O ihex -R .eeprom $< $@

size: avr
	@avr-objdump -d $(AVR_ELF) >$(BUILD)/avr/listing.txt
	@avr-size -A $(AVR_ELF) >$(BUILD)/avr/sections.txt
	@python3 avr/footprint.py $(BUILD)/avr --flash-limit $(FLASH_LIMIT) --ram-limit $(RAM_LIMIT)

# avr-gcc has no -fanalyzer; the core has been through the host's. cppcheck takes the chip's widths.
analyse-avr:
	$(CPPCHECK) --platform=avr8 -Iavr $(AVR_DEFINES) $(AVR_SOURCES)
